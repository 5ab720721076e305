/**
 * What the record of a restart says (docs/spec/recovery.md): how a domain goes on after its root task failed, and what is counted of it.
 *
 * RF1. The facts of the last restart that counts are all that the next decision needs of those before: nothing else has to be kept.
 */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { Renewal, Spent } from "../beginning.ts";

/** How a domain goes on after a failure. */
export type ChoiceName = "resume" | "fresh" | "replace" | "escalate";

/** A call that came to an outcome with which its root task failed. */
export interface FailedCall {
  /** The path of its task, from `/0`. */
  readonly task: string;
  /** The number of its syscall. */
  readonly op: number;
  readonly service: string;
  /** The same in every run: `DOMAIN:PATH#NUMBER`. */
  readonly key: string;
}

/** Where a domain failed: the record whose effect the failure was. */
export interface FailurePlace {
  /** The same whenever the program comes there again, also in a fresh incarnation: `/0#3`, `message 2`, `cancel 1`, `time after 4`. */
  readonly name: string;
  /** The number of the record. */
  readonly seq: number;
  /** The call whose outcome the record is, where it is one. */
  readonly call?: FailedCall | undefined;
}

/** The parts of a failure that are compared with the next one. */
export type FailedWith = Pick<ErrorRecord, "code" | "message" | "retryable">;

/** What a restart records. */
export interface RestartFacts {
  readonly choice: ChoiceName;
  /** The last record that still counts; those after it, up to this one, do not. */
  readonly to: number;
  readonly at: FailurePlace;
  readonly error: FailedWith;
  /** How many times in a row the domain failed there with that error: 0 for an error that is retryable. */
  readonly times: number;
  /** The version of the program that failed; "" for none. */
  readonly version: string;
  /** The checkpoints and fresh beginnings the domain has had when it goes on. */
  readonly generation: number;
  /** When it was decided, in milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** When it was restarted within the last period, this time included. */
  readonly recent: readonly number[];
  /** What the records that no longer count had cost. */
  readonly cost: Spent;
  /** Why a domain does not go on; undefined when that was the choice. */
  readonly refusal?: ErrorRecord | undefined;
  /** Who asked for it, so that asking again changes nothing; "" for the domain's own policy. */
  readonly by: string;
  /** What a fresh incarnation begins with. */
  readonly renewal?: Renewal | undefined;
}

/** The facts without the renewal as they stand in a record, in order. */
export type FactsForm = readonly [
  choice: ChoiceName,
  to: number,
  at: readonly [name: string, seq: number, task: string, op: number, service: string, key: string],
  error: readonly [code: string, message: string, retryable: boolean],
  times: number,
  version: string,
  generation: number,
  nowMs: number,
  recent: readonly number[],
  cost: Spent,
  refusal: RefusalForm | null,
  by: string,
];

type RefusalForm = readonly [
  code: string,
  message: string,
  changed: string,
  fix: string,
  retryable: boolean,
  details: Readonly<Record<string, unknown>>,
];

const NO_CALL: FailedCall = { task: "", op: 0, service: "", key: "" };

/** The form of facts. */
export function formOfFacts(facts: RestartFacts): FactsForm {
  const { choice, to, at, error, times, version, generation, nowMs, recent, cost, refusal, by } = facts;
  const { task, op, service, key } = at.call ?? NO_CALL;
  const place = [at.name, at.seq, task, op, service, key] as const;
  const failed = [error.code, error.message, error.retryable] as const;
  const refused = refusal === undefined ? null : formOfRefusal(refusal);
  return [choice, to, place, failed, times, version, generation, nowMs, recent, cost, refused, by];
}

function formOfRefusal({ code, message, changed, fix, retryable, details = {} }: ErrorRecord): RefusalForm {
  return [code, message, changed, fix, retryable, details];
}

function refusalOf([code, message, changed, fix, retryable, details]: RefusalForm): ErrorRecord {
  return { code, message, changed, fix, retryable, details };
}

/** The facts of a form. @throws {TypeError} for another form */
export function factsOf(form: unknown): RestartFacts {
  if (!Array.isArray(form) || form.length !== FORM_LENGTH) throw new TypeError("no facts of a restart");
  const [choice, to, at, error, times, version, generation, nowMs, recent, cost, refusal, by] =
    form as unknown as FactsForm;
  if (!CHOICES.includes(choice) || !Number.isSafeInteger(to)) throw new TypeError("no facts of a restart");
  const [name, seq, task, op, service, key] = at;
  const call = key === "" ? undefined : { task, op, service, key };
  const [code, message, retryable] = error;
  return {
    choice,
    to,
    at: { name, seq, call },
    error: { code, message, retryable },
    times,
    version,
    generation,
    nowMs,
    recent,
    cost,
    refusal: refusal === null ? undefined : refusalOf(refusal),
    by,
  };
}

/** Every choice. */
export const CHOICES: readonly ChoiceName[] = ["resume", "fresh", "replace", "escalate"];
const FORM_LENGTH = 12;
