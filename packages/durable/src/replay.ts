/**
 * Bringing a domain to where its journal ends, without any effect: every record is fed to a fresh run, which must ask for what the
 * journal says it asked for.
 *
 * P1. A record that does not fit what the program does is a {@link DivergedError} with both sides; the program is never adjusted to it.
 * P2. Nothing is performed and nothing is written.
 * P3. Records of a program that is not offered are passed over, up to where one that is took over (kind 16) or began anew. When there is
 *     none, that is the refusal; it is told by {@link Replay.checkProgram}, since what comes next may be such a place.
 */
import type { Logger } from "@glia-os/abi/ports";
import { syscallByNumber } from "@glia-os/abi/syscalls";
import type { AmbientGuard } from "./ambient-guard.ts";
import type { Sha256 } from "./derived-random.ts";
import { type AskedCall, DomainRun, type OnRefused, type RunOptions } from "./domain-run.ts";
import {
  BadJournalError,
  DivergedError,
  ProgramChangedError,
  ProgramUnknownError,
  ValueMissingError,
} from "./errors.ts";
import { outcomeOfExit } from "./exit-outcome.ts";
import { noValues } from "./large-values.ts";
import type { MakeLedger } from "./ledger.ts";
import { encodableForm } from "./mailbox-state.ts";
import { type DurableProgram, mayContinue } from "./program.ts";
import {
  type Beginning,
  type DurableRecord,
  decodeRow,
  encodeOutcome,
  KEPT_BYTES,
  KIND,
  type Outcome,
  outcomeOf,
  RESULT_BYTES,
  type Renewal,
  recordOf,
  type TaskPath,
  type ValueSource,
} from "./record.ts";
import { hasHash, type RecordRow } from "./record-reader.ts";
import type { RestartFacts } from "./recovery/restart-facts.ts";
import { Tape } from "./tape.ts";

/** What is known while a journal is replayed. */
export interface ReplayOptions {
  readonly domain: string;
  /** The program that has this name; undefined when it is not offered. */
  programOf(name: string): DurableProgram | undefined;
  readonly digests: Sha256;
  readonly logger?: Logger;
  /** Hears of syscalls that are refused, also of those that were refused before. */
  readonly onRefused?: OnRefused | undefined;
  /** Keep where in the source each call was made; slow. */
  readonly keepPositions?: boolean;
  /** Refuses what no replay can repeat while tasks run (strict mode). */
  readonly guard?: AmbientGuard | undefined;
  /** Where large values are found, loaded before the body they stand in is fed. Default: nowhere, and one that is needed is missing. */
  readonly values?: ValueSource | undefined;
  /** Makes the ledger of the domain. */
  readonly ledger?: MakeLedger | undefined;
}

/** Feeds records to a run. */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #values: ValueSource;
  #run: DomainRun | undefined;
  #beginning: Beginning | undefined;
  #lastSeq = 0;
  #ended: Outcome | undefined;
  #movedTo: string | undefined;
  #restarted: RestartFacts | undefined;
  /** Why what the records are of is not offered (P3). */
  #foreign: ProgramUnknownError | ProgramChangedError | undefined;
  /** What is being fed. Where positions are kept, nothing is taken from it at once: each call is to be seen. */
  readonly #tape: Tape = new Tape();

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#values = options.values ?? noValues(options.domain);
  }

  /** The number the next record has. */
  get nextSeq(): number {
    return this.#lastSeq + 1;
  }

  /** How the domain ended, if it did. */
  get ended(): Outcome | undefined {
    return this.#ended;
  }

  /** Whom the domain was given to, when nothing was recorded since. */
  get movedTo(): string | undefined {
    return this.#movedTo;
  }

  /** The last restart that counts. After its end: what was decided about it. */
  get restart(): RestartFacts | undefined {
    return this.#restarted;
  }

  /** How the domain began; undefined before the first record. */
  get beginning(): Beginning | undefined {
    return this.#beginning;
  }

  /** Whether the program of the last records is offered. */
  get isOffered(): boolean {
    return this.#foreign === undefined;
  }

  /** Refuse records that end with those of a program that is not offered (P3). @throws {ProgramUnknownError} {ProgramChangedError} */
  checkProgram(): void {
    if (this.#foreign !== undefined) throw this.#foreign;
  }

  /** The run, to be lived on. @throws {BadJournalError} before its clock was set, and as {@link checkProgram} */
  get run(): DomainRun {
    this.checkProgram();
    if (this.#run !== undefined && this.#lastSeq > 1) return this.#run;
    throw new BadJournalError(this.#options.domain, this.nextSeq, "the journal ends before the domain began");
  }

  /** Leave out the records up to a number: a rollback discarded them. The next one that is fed is the one after it. */
  skipTo(seq: number): void {
    this.#lastSeq = seq;
  }

  /** Feed the records of one batch. @throws {DivergedError} {BadJournalError} {NotDurableError} {ValueMissingError} */
  feed(body: Uint8Array, firstSeq: number, count: number): void {
    const tape = this.#tape;
    tape.load(body, firstSeq, count);
    try {
      while (tape.left > 0) {
        const row = this.#decoded(body, tape.at, tape.seq);
        tape.skip(row.end);
        this.#feed(row);
        this.#lastSeq = tape.seq - 1;
      }
      if (tape.at < body.length) throw this.#bad(firstSeq + count, "the batch has more records than it says");
    } finally {
      tape.stop();
    }
  }

  #decoded(body: Uint8Array, at: number, expected: number): RecordRow {
    try {
      const row = decodeRow(body, at, this.#values);
      if (row.seq === expected && (expected === this.nextSeq || this.#lastSeq === 0)) return row;
    } catch (error) {
      if (error instanceof ValueMissingError) throw error;
      throw this.#bad(expected, (error as Error).message);
    }
    throw this.#bad(expected, "its number does not follow");
  }

  #feed(row: RecordRow): void {
    const { seq, kind } = row;
    this.#lastSeq = seq;
    this.#movedTo = undefined;
    if (this.#ended !== undefined && kind !== KIND.restart)
      throw this.#bad(seq, "it follows the end of the domain");
    if ((seq === 1) !== (kind === KIND.spawn)) throw this.#bad(seq, "only the first record begins a domain");
    // What is left of a journal that was being cut off at a checkpoint.
    if (this.#run === undefined && !BEGINNINGS.includes(kind)) return;
    if (kind === KIND.intent) this.#expect(row).intentAt = seq;
    else if (kind === KIND.resume) {
      const run = this.#going(seq);
      run.settle(this.#expect(row), outcomeOf(row.outcome));
      run.runOut();
    } else this.#feedRecord(seq, this.#recordOf(row));
  }

  #recordOf(row: RecordRow): DurableRecord {
    try {
      return recordOf(row, this.#values);
    } catch (error) {
      if (error instanceof ValueMissingError) throw error;
      throw this.#bad(row.seq, (error as Error).message);
    }
  }

  #feedRecord(seq: number, record: DurableRecord): void {
    if (record.kind === KIND.spawn) this.#begin(record.beginning);
    else if (record.kind === KIND.moved) this.#movedTo = record.to;
    else if (record.kind === KIND.checkpoint) this.#renew(seq, record.renewal);
    else if (record.kind === KIND.upgraded) this.#beginAnew(record.renewal);
    else if (record.kind === KIND.restart) this.#restart(seq, record.facts);
    else if (record.kind === KIND.exit) this.#end(seq, record.outcome);
    else {
      const run = this.#going(seq);
      if (record.kind === KIND.message) this.#check(seq, run.accept(record.payload));
      else if (record.kind === KIND.mail) this.#check(seq, run.acceptMail(record, seq));
      else run.apply(record);
      run.runOut();
    }
  }

  /** The run, which has not ended. @throws {DivergedError} */
  #going(seq: number): DomainRun {
    const run = this.#run as DomainRun;
    if (run.ended !== undefined) throw this.#diverged(seq, "that it went on", "had ended", []);
    return run;
  }

  #begin(beginning: Beginning): void {
    this.#beginning = beginning;
    const options = this.#offered(beginning);
    if (options !== undefined) this.#run = new DomainRun({ ...options, beginning });
  }

  /** Where nothing before is needed, whatever it was of. */
  #beginAnew(renewal: Renewal): void {
    this.#beginning = renewal.beginning;
    const options = this.#offered(renewal.beginning);
    if (options === undefined) this.#run = undefined;
    else {
      this.#run = this.#run?.renewed(renewal, options.program) ?? DomainRun.from(options, renewal);
      this.#run.runOut();
    }
  }

  /** What a run of it is made with; undefined when its program is not offered (P3). */
  #offered(beginning: Beginning): Omit<RunOptions, "beginning"> | undefined {
    this.#foreign = undefined;
    try {
      return this.#runOptions(beginning);
    } catch (refusal) {
      if (!(refusal instanceof ProgramUnknownError || refusal instanceof ProgramChangedError)) throw refusal;
      this.#foreign = refusal;
      return undefined;
    }
  }

  /** @throws {ProgramUnknownError} {ProgramChangedError} */
  #runOptions({ program: name, version }: Beginning): Omit<RunOptions, "beginning"> {
    const {
      domain,
      programOf,
      digests,
      logger,
      keepPositions = false,
      guard,
      onRefused,
      ledger,
    } = this.#options;
    const program = programOf(name);
    if (program === undefined) throw new ProgramUnknownError(domain, `program ${name}`);
    if (!mayContinue(program, version))
      throw new ProgramChangedError(domain, name, version ?? "", program.version ?? "");
    const tape = keepPositions ? undefined : this.#tape;
    return { domain, digests, program, logger, keepPositions, guard, onRefused, tape, ledger };
  }

  /** A checkpoint that the program came to as well, or the first thing that is known. */
  #renew(seq: number, renewal: Renewal): void {
    if (this.#run === undefined) {
      this.#beginAnew(renewal);
      return;
    }
    const attempted = this.#run.renewal;
    if (attempted === undefined)
      throw this.#diverged(seq, "that it had a checkpoint", "had none", positionOf(this.#run));
    if (!sameRenewal(renewal, attempted))
      throw this.#diverged(seq, "a checkpoint", "had one with another state, or other messages", []);
    this.#run = this.#run.renewed(renewal);
    this.#beginning = renewal.beginning;
    this.#run.runOut();
  }

  /** How the domain goes on after a failure that no longer counts; or that it does not, which stands after its end. */
  #restart(seq: number, facts: RestartFacts): void {
    const { choice, renewal, cost } = facts;
    if (this.#foreign !== undefined && renewal === undefined) return;
    this.#restarted = facts;
    if ((this.#ended !== undefined) !== (choice === "escalate"))
      throw this.#bad(seq, "it does not follow a failure, or what it discards was not left out");
    if (renewal !== undefined) {
      this.#run = undefined;
      this.#beginAnew(renewal);
    } else if (this.#run !== undefined) this.#run.charge(cost);
  }

  #check(seq: number, taken: boolean): void {
    if (!taken) throw this.#diverged(seq, "that its inbox took a message", "left no room in it", []);
  }

  #end(seq: number, outcome: Outcome): void {
    const run = this.#run as DomainRun;
    if (run.ended === undefined)
      throw this.#diverged(seq, `that it ended with ${shown(outcome)}`, "goes on", positionOf(run));
    if (run.renewal !== undefined && isNotRecordable(outcome)) {
      this.#ended = outcome;
      return;
    }
    const attempted = outcomeOfExit(run.ended, limitOf(outcome));
    if (!same(outcome, attempted))
      throw this.#diverged(seq, `that it ended with ${shown(outcome)}`, `ended with ${shown(attempted)}`, []);
    this.#ended = outcome;
  }

  /** The call that a record is about. @throws {DivergedError} when the program makes another or none (P1) */
  #expect(row: RecordRow): AskedCall {
    const { seq, path, op } = row;
    const run = this.#run as DomainRun;
    const call = run.callAt(path);
    if (call !== undefined && call.op === op && hasHash(row, call.argsHash)) return call;
    const task = taskName(path);
    const recorded = `that ${task} called ${nameOf(op)}`;
    if (call === undefined)
      throw this.#diverged(seq, recorded, `waits for no service in ${task}`, positionOf(run));
    const how = call.op === op ? ": another service, or other arguments" : "";
    const attempted = `called ${nameOf(call.op)} of ${call.service}${how}`;
    throw this.#diverged(seq, recorded, attempted, call.position);
  }

  #diverged(seq: number, recorded: string, attempted: string, position: readonly string[]): DivergedError {
    return new DivergedError({ domain: this.#options.domain, seq, recorded, attempted, position });
  }

  #bad(seq: number, why: string): BadJournalError {
    return new BadJournalError(this.#options.domain, seq, why);
  }
}

/** Records that say by themselves how a domain begins, or begins anew. */
const BEGINNINGS: readonly number[] = [KIND.spawn, KIND.checkpoint, KIND.restart, KIND.upgraded];
const NOT_RECORDABLE = "durable.not-recordable";

function nameOf(op: number): string {
  return syscallByNumber(op)?.name ?? `syscall ${op}`;
}

function taskName(path: TaskPath): string {
  return path.length === 0 ? "its root task" : `its task ${path.join("/")}`;
}

/** Where the program made the last call that waits: near where it went another way. */
function positionOf(run: DomainRun): readonly string[] {
  return [...run.calls.values()].at(-1)?.position ?? [];
}

function shown(outcome: Outcome): string {
  return outcome.failed ? outcome.error.code : "a result";
}

/** What the result was limited to when it was recorded: less where there were no blobs. */
function limitOf(recorded: Outcome): number {
  return isNotRecordable(recorded) ? RESULT_BYTES : KEPT_BYTES;
}

function isNotRecordable(outcome: Outcome): boolean {
  return outcome.failed && outcome.error.code === NOT_RECORDABLE;
}

function same(a: Outcome, b: Outcome): boolean {
  const [x, y] = [a, b].map((outcome) => encodeOutcome(outcome, Number.POSITIVE_INFINITY));
  return equalBytes(x as Uint8Array, y as Uint8Array);
}

/** The facts of a ledger count only where one is kept: who judges a journal without it has none. */
function sameRenewal(a: Renewal, b: Renewal): boolean {
  const keepsFacts = b.ledger !== undefined;
  const [x, y] = [a, b].map(({ beginning: { input, seed, generation }, nowMs, inbox, mailbox, ledger }) => {
    const known = mailbox === undefined ? null : encodableForm(mailbox);
    const value = [input, seed, generation, nowMs, inbox, known, keepsFacts ? (ledger ?? null) : null];
    return encodeOutcome({ failed: false, value }, Number.POSITIVE_INFINITY);
  });
  return equalBytes(x as Uint8Array, y as Uint8Array);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
