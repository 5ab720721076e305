/**
 * The child process of the process engine: one job at a time, asked for and answered over the channel.
 *
 * It imports nothing but Node, so that the permissions it needs are its own file and the module of the jobs.
 */
import { deserialize, serialize } from "node:v8";

interface Ask {
  readonly job: {
    readonly id: string;
    readonly origin: string;
    readonly lineage: readonly string[];
    readonly entry: string;
    /** In V8's format. */
    readonly payload: Uint8Array;
  };
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly changed: string;
  readonly fix: string;
  readonly retryable: boolean;
}

type Answer =
  | { readonly kind: "ready" }
  | { readonly kind: "hand-on"; readonly id: string; readonly entry: string; readonly payload: Uint8Array }
  | { readonly kind: "result"; readonly value: unknown }
  | { readonly kind: "failure"; readonly failure: Failure };

let sent: Promise<void> = Promise.resolve();

/** Send after what was sent before. Rejects when the message is no plain data. */
function tell(answer: Answer): Promise<void> {
  sent = sent.then(
    () =>
      new Promise<void>((resolve, reject) => {
        process.send!(answer, undefined, {}, (error) => (error === null ? resolve() : reject(error)));
      }),
  );
  return sent;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The parts of an error that can be passed on; those of a Glia error are kept. */
function failureOf(error: unknown): Failure {
  const record = (typeof error === "object" && error !== null ? error : {}) as Partial<Failure>;
  const coded = typeof record.changed === "string";
  return {
    code: coded ? text(record.code) : "abi.unexpected",
    message: error instanceof Error ? error.message : String(error),
    changed: text(record.changed),
    fix: text(record.fix),
    retryable: record.retryable === true,
  };
}

/** A refusal that the job's function sees; `failureOf` keeps its code. */
class Refused extends TypeError {
  readonly code: string;
  readonly changed = "Nothing: the job was not handed on.";
  readonly fix = "Hand on plain data, before the function's end.";

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function plain(value: unknown): Uint8Array {
  try {
    return serialize(value);
  } catch (error) {
    throw new Refused("host.job-not-serialisable", `the payload cannot be passed on: ${String(error)}`);
  }
}

function refusal(code: string, message: string): Answer {
  return { kind: "failure", failure: { code, message, changed: "", fix: "", retryable: false } };
}

async function perform(exported: Readonly<Record<string, unknown>>, { job }: Ask): Promise<Answer> {
  const { id, origin, lineage, entry, payload } = job;
  const run = Object.hasOwn(exported, entry) ? exported[entry] : undefined;
  if (typeof run !== "function") return refusal("host.unknown-entry", `there is no job function ${entry}`);
  let children = 0;
  let over = false;
  const handOn = (next: string, value: unknown): string => {
    if (over) throw new Refused("host.job-over", `job ${id} hands on a job after its own end`);
    const message = { kind: "hand-on", id: `${id}/${children}`, entry: next, payload: plain(value) } as const;
    children++;
    void tell(message);
    return message.id;
  };
  try {
    return {
      kind: "result",
      value: (await run(deserialize(payload), { id, origin, lineage, handOn })) as unknown,
    };
  } catch (error) {
    return { kind: "failure", failure: failureOf(error) };
  } finally {
    over = true;
  }
}

const exported = (await import(process.argv[2]!)) as Readonly<Record<string, unknown>>;
process.on("message", (ask: Ask) => {
  void perform(exported, ask).then((answer) =>
    tell(answer).catch((error: unknown) => {
      sent = Promise.resolve();
      return tell(refusal("host.job-not-serialisable", String(error)));
    }),
  );
});
process.once("disconnect", () => process.exit(0));
await tell({ kind: "ready" });
