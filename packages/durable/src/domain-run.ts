/**
 * One domain as a state machine: records go in, calls to the world come out. Living and replaying are the same thing here; what
 * differs is who makes the records.
 *
 * D1. The domain has a kernel of its own. Between two records it runs until nothing is ready. So what its tasks do, and in what order,
 *     follows from the records alone.
 * D2. Nothing reaches the world from here: a call of a service is kept, and its owner decides whether to perform it.
 * D3. What cannot be replayed stops the domain: effects of `sys.external`, and programs that go on in microtasks.
 * D4. A run whose root task ended with a checkpoint is followed by another that knows what the record of the checkpoint holds, and no more.
 */
import type { Logger } from "@glia-os/abi/ports";
import { RIGHTS, SYSCALLS } from "@glia-os/abi/syscalls";
import {
  type AccountDump,
  type AmountKind,
  Checkpoint,
  type Cost,
  createKernel,
  type Exit,
  type Handle,
  type Kernel,
  type Program,
  type Settle,
  type SliceEnd,
  type TaskId,
} from "@glia-os/kernel";
import { SERVICE_KINDS, type ServiceCall, type ServiceKind } from "@glia-os/kernel/services";
import { type AmbientGuard, loggerOutside } from "./ambient-guard.ts";
import { ArgsHashes, hasSecretArgs } from "./args-hashes.ts";
import { DerivedRandom, type Sha256 } from "./derived-random.ts";
import { DomainClock } from "./domain-clock.ts";
import { AmbientUseError, NotDurableError } from "./errors.ts";
import { joined } from "./joined.ts";
import type { DomainLedger, MakeLedger } from "./ledger.ts";
import { MAIL, type Mail, nameOfSender, originOf } from "./mailbox-delivery.ts";
import { type MailboxForm, MailboxState } from "./mailbox-state.ts";
import { happensOnce } from "./once-calls.ts";
import { type DurableProgram, rootOf } from "./program.ts";
import {
  type Beginning,
  type DurableRecord,
  errorOf,
  type Hash,
  KIND,
  type MailRecord,
  type Outcome,
  type Renewal,
  type Spent,
  type TaskPath,
} from "./record.ts";
import { RecordedCalls } from "./recorded-calls.ts";
import { sourceFrames } from "./source-frames.ts";
import type { Tape } from "./tape.ts";
import { pathOf, textOf } from "./task-path.ts";

/** Slices after which a domain that is still busy lets others run. */
const SLICE_SWITCHES = 1024;
/** Messages the inbox of a domain holds. */
export const INBOX_MESSAGES = 1_000;
/** Follows a seed where the seed after a checkpoint is hashed from it. */
const NEXT_SEED = Uint8Array.from("checkpoint", (letter) => letter.charCodeAt(0));
/** Limits of a domain's kernel: it is one of many in its process. */
const KERNEL_LIMITS = { taskLimit: 65_536, endedLimit: 1024, handleLimit: 16_384, traceRecords: 1 } as const;

/** What a domain may spend unless its program says: it is one agent. */
const ACCOUNT = { calls: 10_000_000, tokens: 100_000_000 } as const;
const ACCOUNT_NAME = 128;

function costOf([calls, tokens, money, ms, fuel]: Spent = [0, 0, 0, 0, 0]): Cost {
  return { calls, tokens, money, ms, fuel };
}

/** A call of a service that a task waits for. */
export interface AskedCall {
  readonly path: TaskPath;
  readonly op: number;
  readonly service: string;
  readonly kind: ServiceKind;
  readonly argsHash: Hash;
  readonly request: unknown;
  readonly call: ServiceCall;
  readonly settle: Settle<unknown>;
  /** The number of the record that holds its intent; 0 while there is none. */
  intentAt: number;
  /** Settles when the outcome is durable; undefined while nobody asked. */
  told: PromiseWithResolvers<void> | undefined;
  /** The task no longer waits. */
  givenUp: boolean;
  /** Stops what was started outside. */
  stop: (() => void) | undefined;
  /** Where in the program, innermost first; kept on request only. */
  readonly position: readonly string[];
}

/** Hears of a syscall that was refused to a task, by the path of the task and the number of the syscall. */
export type OnRefused = (path: string, op: number) => void;

/** How a run is made. */
export interface RunOptions {
  readonly domain: string;
  readonly beginning: Beginning;
  readonly digests: Sha256;
  readonly program: DurableProgram;
  readonly logger?: Logger | undefined;
  /** Refuses what no replay can repeat while tasks run (strict mode). */
  readonly guard?: AmbientGuard | undefined;
  /** Hears of syscalls that were refused to a task, by its path. */
  readonly onRefused?: OnRefused | undefined;
  /** Keep where in the source each call was made; slow. */
  readonly keepPositions?: boolean;
  /** Records that are about to be fed: calls whose outcome comes next are answered at once. */
  readonly tape?: Tape | undefined;
  /** What the checkpoint it begins at knows of its inbox. */
  readonly mailbox?: MailboxForm | undefined;
  /** Makes its ledger, from what the checkpoint it begins at carries. */
  readonly ledger?: MakeLedger | undefined;
  readonly ledgerForm?: unknown;
}

/** A domain in memory. */
export class DomainRun {
  readonly domain: string;
  /** Names and kinds of the services its root task holds. */
  readonly uses: Beginning["uses"];
  /** Calls that wait for their outcome, by the path of their task. A task has one. */
  readonly calls: Map<string, AskedCall> = new Map();
  /** What came into its inbox, as far as records have to know it. */
  readonly mailbox: MailboxState;
  /** The facts beside it; undefined where nobody keeps any. */
  readonly ledger: DomainLedger | undefined;
  readonly #kernel: Kernel;
  readonly #clock: DomainClock;
  readonly #inbox: Handle;
  readonly #root: TaskId;
  readonly #hashes: ArgsHashes;
  readonly #keepPositions: boolean;
  #asked: AskedCall[] = [];
  #violation: NotDurableError | AmbientUseError | undefined;
  #ended: Exit | undefined;
  #renewal: Renewal | undefined;
  #pressured = false;
  /** Something came into it since it began. */
  #touched = false;
  /** What lay in the inbox when the root task had ended. */
  #left: readonly unknown[] | undefined;
  readonly #options: RunOptions;

  /** Make the root task; nothing runs yet. @throws what the program's `run` throws */
  constructor(options: RunOptions) {
    const { domain, beginning, digests, program, logger, mailbox, keepPositions = false } = options;
    this.#options = options;
    const sends = beginning.uses.some(([name]) => name === MAIL);
    this.mailbox = new MailboxState(originOf(beginning.seed), sends, mailbox);
    this.ledger = options.ledger?.(options.ledgerForm);
    this.#hashes = new ArgsHashes(digests);
    this.domain = domain;
    this.uses = beginning.uses;
    this.#keepPositions = keepPositions;
    this.#clock = new DomainClock();
    this.#kernel = createKernel({
      ...KERNEL_LIMITS,
      account: {
        name: domain.slice(-ACCOUNT_NAME),
        ...ACCOUNT,
        ...program.account,
        spent: costOf(beginning.spent),
      },
      clock: this.#clock,
      random: new DerivedRandom(beginning.seed, digests),
      journal: { intent: (_task, op) => this.#refuse(op), outcome: () => {} },
      onRefused: (task, op) => {
        const tell = (): void => options.onRefused?.(this.#kernel.pathOf(task), op);
        if (options.guard === undefined) tell();
        else options.guard.outside(tell);
      },
      ...(logger === undefined ? {} : { logger: loggerOutside(logger, options.guard) }),
    });
    this.#inbox = this.#kernel.mailbox({ capacity: INBOX_MESSAGES });
    const services = beginning.uses.map(([name, kind]) => this.#offer(name, kind));
    const give = [{ handle: this.#inbox, rights: RIGHTS.receive }, ...services];
    this.#root = this.#kernel.spawn(this.#rootFor(program, beginning), { name: program.name, give });
    this.#kernel.onExit(this.#root, (exit) => this.#end(exit));
  }

  /** What its calls of services cost so far, and may cost. */
  get account(): AccountDump {
    return this.#kernel.accountOf();
  }

  /** How the root task ended. */
  get ended(): Exit | undefined {
    return this.#ended;
  }

  /** How the domain is to begin anew, when its root task ended with a checkpoint. */
  get renewal(): Renewal | undefined {
    if (this.#renewal === undefined) return undefined;
    const { beginning, ...rest } = this.#renewal;
    return { beginning: { ...beginning, spent: this.#spent() }, ...rest };
  }

  /** The domain after its root task ended, as it begins anew with an input: what nobody took stays in its inbox. */
  anew(input: unknown): Renewal {
    const { beginning, ...rest } = this.#renewalAt(input, this.#untaken(), this.mailbox.form);
    return { beginning: { ...beginning, spent: this.#spent() }, ...rest };
  }

  /** A fresh run as it begins anew, from what it began with. */
  afresh(): Renewal {
    const { beginning, ...rest } = this.#renewalAt(this.#options.beginning.input, [], this.mailbox.form);
    return { beginning: { ...beginning, spent: this.#spent() }, ...rest };
  }

  /** Book what was spent on records that no longer count. */
  charge(cost: Spent): void {
    this.#kernel.charge(costOf(cost));
  }

  /**
   * Whether it is as it would be if it began now: nothing came in, no call is out, and no time is waited for. So it may begin anew from its input
   * without losing anything ({@link afresh}).
   */
  get isFresh(): boolean {
    const { spent = NOTHING_SPENT } = this.#options.beginning;
    // Calls that a replay took from its records are known by what they cost alone.
    const isIdle = this.#spent()[0] === spent[0] && this.deadlineMs === undefined;
    return !this.#touched && isIdle && this.#ended === undefined;
  }

  /** The run that begins anew, in place of this one (D4), by other code if there is any. */
  renewed(renewal: Renewal, program: DurableProgram = this.#options.program): DomainRun {
    for (const call of this.calls.values()) this.#giveUp(call);
    const run = DomainRun.from({ ...this.#options, program }, renewal);
    run.mailbox.links.goOnFrom(this.mailbox.links);
    return run;
  }

  /** The run that begins at a checkpoint. */
  static from(
    options: Omit<RunOptions, "beginning">,
    { beginning, nowMs, inbox, mailbox, ledger: ledgerForm }: Renewal,
  ): DomainRun {
    const run = new DomainRun({ ...options, beginning, mailbox, ledgerForm });
    run.#clock.moveTo(nowMs);
    for (const message of inbox) run.#put(message);
    run.#touched = inbox.length > 0;
    return run;
  }

  /** The time of the domain, in milliseconds since the Unix epoch. */
  get nowMs(): number {
    return this.#clock.wallMs();
  }

  /** When the next timer of a task is due. */
  get deadlineMs(): number | undefined {
    return this.#kernel.nextDeadlineMs();
  }

  /** Whether senders should hold back: from 800 messages in the inbox until 200 are left. */
  get pressured(): boolean {
    return this.#pressured;
  }

  /** Put a message into the inbox. Returns false, and changes nothing, when it has no room. */
  accept(payload: unknown): boolean {
    if (!this.#put(payload)) return false;
    this.ledger?.came(payload);
    return true;
  }

  /** Put a message into the inbox, of which its ledger knows already. */
  #put(payload: unknown): boolean {
    const sent = this.#kernel.trySend(this.#inbox, payload);
    if (sent === "full") return false;
    this.#touched = true;
    if (sent === "pressured" && !this.#pressured) {
      this.#pressured = true;
      this.#kernel.onRelief(this.#inbox, () => {
        this.#pressured = false;
      });
    }
    this.mailbox.came(payload);
    return true;
  }

  /** Put a message of another domain into the inbox, as the record of this number says. Returns as {@link accept}. */
  acceptMail({ from, number, payload, settled, forgotten }: MailRecord, record: number): boolean {
    const mail: Mail = Object.freeze({ from: nameOfSender(from), message: payload });
    if (!this.accept(mail)) return false;
    this.mailbox.links.accept(from, number, settled, forgotten, record);
    return true;
  }

  /** Let a record other than a message or an outcome take effect. Intents and ends have none. */
  apply(record: DurableRecord): void {
    if (record.kind === KIND.time) {
      const due = this.deadlineMs;
      this.#touched ||= due !== undefined && due <= record.nowMs;
      this.#clock.moveTo(record.nowMs);
    } else if (record.kind === KIND.cancel && this.#ended === undefined) this.#cancel(record.reason);
  }

  #cancel(reason: unknown): void {
    this.#touched = true;
    this.#kernel.cancel(this.#root, reason);
  }

  /** Let a waiting call come to its outcome. */
  settle(call: AskedCall, outcome: Outcome): void {
    this.calls.delete(call.call.path);
    if (outcome.failed) call.settle.fail(errorOf(outcome.error));
    else {
      if (call.service === this.ledger?.service) this.ledger.outcome(outcome.value);
      call.settle.ok(outcome.value);
    }
  }

  /** The call that waits at a path of the domain. */
  callAt(path: TaskPath): AskedCall | undefined {
    return this.calls.get(textOf(path));
  }

  /** Run what is ready, up to `slices` slices. Returns whether nothing is ready any more (D1). @throws {NotDurableError} (D3) */
  run(slices: number): boolean {
    for (let left = slices; left > 0; left--) {
      const end = this.#slice();
      if (end === "microtasks") this.#violation = new NotDurableError(this.domain, "an async program");
      if (this.#violation !== undefined) throw this.#violation;
      if (end === "idle") return true;
    }
    return false;
  }

  /** The root task. After a checkpoint nobody is there to refuse a program to: what its `run` throws is how the task ends. */
  #rootFor(program: DurableProgram, { input, generation = 0 }: Beginning): Program {
    const { guard } = this.#options;
    const refuse = (what: string): never => {
      throw new AmbientUseError(this.domain, what, sourceFrames());
    };
    try {
      return guard === undefined
        ? rootOf(program, input)
        : guard.during(() => rootOf(program, input), refuse);
    } catch (error) {
      if (generation === 0 || error instanceof AmbientUseError) throw error;
      return function* () {
        throw error;
      };
    }
  }

  #slice(): SliceEnd {
    const { guard } = this.#options;
    if (guard === undefined) return this.#kernel.runSlice(SLICE_SWITCHES);
    return guard.during(
      () => this.#kernel.runSlice(SLICE_SWITCHES),
      (what) => {
        this.#violation = new AmbientUseError(this.domain, what, sourceFrames());
        throw this.#violation;
      },
    );
  }

  /** Run until nothing is ready, however long it takes, and keep no list of what was asked for: {@link calls} has what still waits. */
  runOut(): void {
    this.run(Number.POSITIVE_INFINITY);
    this.#asked.length = 0;
  }

  /** The calls that were made since the last time and are still wanted, in order. */
  takeAsked(): readonly AskedCall[] {
    const asked = this.#asked;
    this.#asked = [];
    return asked.filter(({ givenUp }) => !givenUp);
  }

  #end(exit: Exit): void {
    this.#ended = exit;
    this.#kernel.shutdown(0);
    if (exit.kind === "ok" && exit.value instanceof Checkpoint)
      this.#renewal = this.#renewalAt(exit.value.state, this.#untaken(), this.mailbox.form);
    else if (exit.kind === "failed") this.#renewal = this.#afterFailure(exit.error);
  }

  /** How the domain goes on when its root task failed at a message; undefined when it does not. */
  #afterFailure(error: unknown): Renewal | undefined {
    const { beginning, program } = this.#options;
    if (program.attempts === undefined) return undefined;
    const after = this.mailbox.afterFailure(program.attempts, error, this.#untaken(), INBOX_MESSAGES);
    return after && this.#renewalAt(beginning.input, after.inbox, after.form);
  }

  /** A checkpoint with what its domain had beside the state: messages, time, randomness. */
  #renewalAt(state: unknown, inbox: readonly unknown[], mailbox: MailboxForm | undefined): Renewal {
    const { beginning, digests } = this.#options;
    const seed = digests.sha256(joined([beginning.seed, NEXT_SEED])).slice(0, beginning.seed.length);
    const generation = (beginning.generation ?? 0) + 1;
    const { version } = this.#options.program;
    const next = { ...beginning, input: state, seed, generation, version };
    const facts = this.ledger === undefined ? {} : { ledger: this.ledger.form() };
    return { beginning: next, nowMs: this.nowMs, inbox, mailbox, ...facts };
  }

  /** What the domain cost so far. What is reserved still for calls that nobody waits for counts: nobody will know what they did. */
  #spent(): Spent {
    const { spent, reserved } = this.account;
    const both = (kind: AmountKind): number =>
      Math.min(spent[kind] + reserved[kind], Number.MAX_SAFE_INTEGER);
    return [both("calls"), both("tokens"), both("money"), both("ms"), both("fuel")];
  }

  /** Take what lies in the inbox. Nobody waits for it any more. */
  #untaken(): readonly unknown[] {
    this.#left ??= this.#taken();
    return this.#left;
  }

  #taken(): readonly unknown[] {
    // A message may be undefined, which is also what an empty mailbox gives. So the end is marked, unless it is known by number.
    const end = Symbol("end");
    const isFull = this.#kernel.trySend<unknown>(this.#inbox, end) === "full";
    const messages: unknown[] = [];
    while (!isFull || messages.length < INBOX_MESSAGES) {
      const message = this.#kernel.tryReceive<unknown>(this.#inbox);
      if (message === end) break;
      messages.push(message);
    }
    return messages;
  }

  #refuse(op: number): void {
    if (op === EXTERNAL) this.#violation = new NotDurableError(this.domain, "sys.external");
  }

  #offer(name: string, kind: ServiceKind): Handle {
    return this.#kernel.service({
      kind,
      name,
      concurrency: 65_536,
      ...this.#recorded(name, kind),
      perform: (request, settle, call) => {
        const asked = this.#ask(name, kind, request, settle, call);
        return () => this.#giveUp(asked);
      },
    });
  }

  /** What the tape knows of the calls of a service. */
  #recorded(name: string, kind: ServiceKind): { readonly recorded?: RecordedCalls } {
    const { tape } = this.#options;
    // The ledger is to see each outcome.
    if (tape === undefined || name === this.ledger?.service) return {};
    const { op } = SERVICE_KINDS[kind];
    const hashOf = (request: unknown): Hash | undefined => {
      try {
        return this.#hashes.hash(op, name, request);
      } catch {
        return undefined; // The call fails with this where it begins.
      }
    };
    const shape = { op, once: happensOnce(op), oneHash: hasSecretArgs(op), hashOf, pathOf };
    return { recorded: new RecordedCalls(tape, this, shape) };
  }

  /** Move the clock while tasks run, unless a timer is due until then. Returns whether it moved. */
  pass(nowMs: number): boolean {
    const due = this.deadlineMs;
    if (due !== undefined && due <= nowMs) return false;
    this.#clock.moveTo(nowMs);
    return true;
  }

  #ask(
    service: string,
    kind: ServiceKind,
    request: unknown,
    settle: Settle<unknown>,
    call: ServiceCall,
  ): AskedCall {
    const { op } = SERVICE_KINDS[kind];
    const asked: AskedCall = {
      path: pathOf(call.path),
      op,
      service,
      kind,
      argsHash: this.#hashes.hash(op, service, request),
      request,
      call: this.#inGeneration(call),
      settle,
      intentAt: 0,
      told: undefined,
      givenUp: false,
      stop: undefined,
      position: this.#keepPositions ? sourceFrames() : NO_FRAMES,
    };
    this.calls.set(call.path, asked);
    this.#asked.push(asked);
    return asked;
  }

  /** After a checkpoint tasks count their calls anew, and the keys of calls differ from those before. */
  #inGeneration(call: ServiceCall): ServiceCall {
    const { generation = 0 } = this.#options.beginning;
    return generation === 0 ? call : { ...call, key: call.key.replace("#", `#${generation}.`) };
  }

  #giveUp(asked: AskedCall): void {
    asked.givenUp = true;
    this.calls.delete(asked.call.path);
    const { stop } = asked;
    asked.stop = undefined;
    stop?.();
  }
}

/** The number of `sys.external`. */
const EXTERNAL = SYSCALLS.get("external")?.number;
const NO_FRAMES: readonly string[] = [];
const NOTHING_SPENT: Spent = [0, 0, 0, 0, 0];
