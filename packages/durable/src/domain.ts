/**
 * A durable domain that lives here: it writes down what comes in, lets its tasks run, and performs what they ask for.
 *
 * O1. Nothing leaves the domain (an effect, an acknowledgement, its result) before every earlier record is durable.
 * O2. What comes in is recorded before the records of what it caused; the tasks see it as it will come out of the journal.
 * O3. After the journal refused a batch the domain is lost: it starts nothing, acknowledges nothing and takes nothing in.
 * O4. A record that names blobs is appended after they are durable.
 * O5. A checkpoint begins a batch, and a segment when what is before it is to be removed: whoever reads from it needs nothing before.
 * O6. At a boundary that other code waits for, that code goes on if it takes the state over, and else the domain as it is (code-exchange.ts).
 */
import type { JournalBatch, TimerHandle } from "@glia-os/abi/ports";
import { type Exit, MailboxFullError } from "@glia-os/kernel";
import { type CodeExchange, ExchangeDesk, type Exchanging, type NewCode } from "./code-exchange.ts";
import { type AskedCall, type DomainRun, INBOX_MESSAGES } from "./domain-run.ts";
import type { DomainPlace, DomainSetup, DomainState, Input } from "./domain-setup.ts";
import { durableCall } from "./durable-call.ts";
import { DomainEndedError, DomainLostError } from "./errors.ts";
import { outcomeOfExit } from "./exit-outcome.ts";
import { HistoryLimit } from "./history-limit.ts";
import { joined } from "./joined.ts";
import type { LargeValues } from "./large-values.ts";
import type { Delivery, DeliveryState, Receipt } from "./mailbox-delivery.ts";
import { receiptFor, takeMail } from "./mailbox-intake.ts";
import type { MailboxState } from "./mailbox-state.ts";
import { happensOnce } from "./once-calls.ts";
import {
  type Beginning,
  type DurableRecord,
  encodeRecord,
  errorOf,
  failure,
  KEPT_BYTES,
  KIND,
  type MailRecord,
  type Outcome,
  RESULT_BYTES,
  type Renewal,
  reread,
} from "./record.ts";

type Resumption = DurableRecord & { kind: typeof KIND.resume };

interface Recorded<Kind extends DurableRecord> {
  readonly record: Kind;
  readonly bytes: Uint8Array;
}

/** How the domain begins anew. */
interface Boundary extends Recorded<DurableRecord & { readonly renewal: Renewal }> {
  readonly exchange?: CodeExchange;
}

type MailInput = Input & { readonly kind: "mail" };

/** Hears that what was recorded is durable, or that the journal refused it. */
type Acknowledgement = Pick<PromiseWithResolvers<void>, "resolve" | "reject">;

/** Slices a busy domain runs before others have a turn. */
const SLICES = 16;
/** A batch is appended when it has this many bytes, whatever waits. */
const BATCH_BYTES = 1_048_576;
/** Checkpoints after which a domain that does nothing else lets others run. */
const RENEWALS = 16;

/** One domain. */
export class Domain {
  readonly name: string;
  /** How the root task ended. Rejects when it failed, and when the domain is lost or stopped here. */
  readonly result: Promise<unknown>;
  #run: DomainRun;
  readonly #setup: DomainSetup;
  readonly #epoch: number;
  readonly #ended: PromiseWithResolvers<unknown> = Promise.withResolvers<unknown>();
  readonly #inputs: Input[] = [];
  #state: DomainState = "running";
  #nextSeq: number;
  /** Records that are not appended yet, and what waits for them. */
  #records: Uint8Array[] = [];
  #bytes = 0;
  readonly #history: HistoryLimit;
  readonly #exchanges: ExchangeDesk;
  #toStart: AskedCall[] = [];
  #acknowledge: Acknowledgement[] = [];
  readonly #values: LargeValues | undefined;
  /** Settles when the last batch that waits for its large values was given to the journal; undefined when none waits. */
  #gate: Promise<void> | undefined;
  /** Settles when every batch that was appended is durable. */
  #durable: Promise<void> = Promise.resolve();
  /** Flushes whose batch, or one before it, is not durable yet. It stays above 0 once the journal refused a batch. */
  #undurable = 0;
  #timer: TimerHandle | undefined;
  /** Tasks are ready, and others have their turn. */
  #yielding = false;

  constructor(setup: DomainSetup, run: DomainRun, { nextSeq, epoch, values, bytes = 0 }: DomainPlace) {
    this.name = run.domain;
    this.#setup = setup;
    this.#run = run;
    this.#nextSeq = nextSeq;
    this.#epoch = epoch;
    this.#values = values;
    this.#exchanges = new ExchangeDesk(this.name);
    this.#history = new HistoryLimit(setup, run.domain, bytes);
    this.result = this.#ended.promise;
    this.result.catch(() => {});
  }

  get state(): DomainState {
    return this.#state;
  }

  /** Calls of services that wait for their outcome. */
  get waiting(): readonly AskedCall[] {
    return [...this.#run.calls.values()];
  }

  /** Begin a new domain: its first records, then its tasks. Resolves when the beginning is durable. */
  begin(beginning: DurableRecord): Promise<void> {
    const begun = Promise.withResolvers<void>();
    this.#acknowledge.push(begun);
    this.#write(beginning);
    this.#moveClock(this.#setup.nowMs());
    if (this.#runOn()) this.#pump();
    return begun.promise;
  }

  /**
   * Go on where a replay ended: start again what may be started, and fail what nobody knows the outcome of. The time is recorded in any
   * case, so that the journal has seen the epoch. Resolves when that is durable.
   */
  resume(mayRepeat: (call: AskedCall) => boolean, unknown: (call: AskedCall) => Error): Promise<void> {
    const resumed = Promise.withResolvers<void>();
    this.#acknowledge.push(resumed);
    this.#run.takeAsked();
    for (const call of this.waiting) {
      if (call.intentAt > 0 && !mayRepeat(call))
        this.#inputs.push({ kind: "outcome", call, outcome: failure(unknown(call)) });
      else this.#ask(call);
    }
    // Only its end may follow a root task that has ended.
    if (this.#run.ended === undefined) this.#moveClock(this.#setup.nowMs());
    if (this.#runOn()) this.#pump();
    return resumed.promise;
  }

  /** The journal says that the domain ended before. */
  remember(outcome: Outcome): void {
    this.#state = "ended";
    this.#conclude(outcome);
  }

  /** Put a message into the inbox. Resolves when that is durable. */
  tell(payload: unknown): Promise<void> {
    const accepted = Promise.withResolvers<void>();
    this.#take({ kind: "message", payload, accepted }, accepted);
    return accepted.promise;
  }

  /** Put messages of another domain into the inbox; resolves when what became of them is durable. Rejects when nobody knows. */
  deliver(delivery: Delivery): Promise<Receipt> {
    const accepted = Promise.withResolvers<Receipt>();
    if (this.#state === "ended")
      this.#answerMail(delivery, accepted, { state: "ok", refusal: new DomainEndedError(this.name) });
    else if (this.#state !== "running") this.#answerMail(delivery, accepted, { state: "resting" });
    else this.#take({ kind: "mail", delivery, at: 0, accepted }, accepted);
    return accepted.promise;
  }

  /** Whether senders should hold back. */
  get pressured(): boolean {
    return this.#run.pressured;
  }

  /** What came into its inbox, as far as records have to know it. */
  get mailbox(): MailboxState {
    return this.#run.mailbox;
  }

  /** Ask the root task to end. Resolves when that is durable. */
  cancel(reason: unknown): Promise<void> {
    const accepted = Promise.withResolvers<void>();
    this.#take({ kind: "cancel", reason, accepted }, accepted);
    return accepted.promise;
  }

  /** Go on with other code from the next boundary on, which may be now (O6). @throws {BadProgramError} */
  exchange(code: NewCode, uses: Beginning["uses"]): Exchanging {
    const exchange = this.#exchanges.put(code, uses);
    if (this.#state === "ended") this.#exchanges.end();
    else if (this.#state !== "running")
      this.#exchanges.end(new DomainLostError(this.name, "it does not run here"));
    else if (!this.#yielding && this.#inputs.length === 0 && this.#run.isFresh) {
      const changed = this.#changed(this.#run.afresh());
      if (changed !== undefined) {
        this.#beginAnew(changed);
        if (this.#runOn()) this.#pump();
      }
    }
    return exchange;
  }

  /** Resolves when what was recorded until now is durable or the journal refused it. */
  async settled(): Promise<void> {
    while (this.#yielding && this.#state === "running")
      await new Promise<void>((resolve) => this.#setup.timers.schedule(0, resolve));
    await this.#durable.catch(() => {});
  }

  /** Stop here: nothing more comes in or starts, what is out is given up. Resolves when what was taken is durable. */
  async stop(): Promise<void> {
    if (this.#state === "running")
      this.#leave("stopped", new DomainLostError(this.name, "it was stopped here"));
    await this.settled();
    await this.#history.settled();
  }

  #take(input: Input, accepted: { reject(error: unknown): void }): void {
    if (this.#state === "ended") accepted.reject(new DomainEndedError(this.name));
    else if (this.#state !== "running")
      accepted.reject(new DomainLostError(this.name, "it does not run here"));
    else {
      this.#inputs.push(input);
      this.#pump();
    }
  }

  /** Take in what waits, each with everything it causes, then make all of it durable (O2). */
  #pump(): void {
    while (this.#state === "running" && !this.#yielding) {
      const input = this.#inputs[0];
      if (input === undefined) break;
      // Time passes first. What that wakes runs before what came in.
      if (this.#timePassed(input) && !this.#runOn()) return;
      this.#inputs.shift();
      if (this.#enter(input) && !this.#runOn()) return;
      if (this.#bytes >= BATCH_BYTES) this.#flush();
    }
    if (this.#yielding) return;
    this.#flush();
    this.#setTimer();
  }

  /** Move the clock on for an input. A timer that is early moves nothing. Returns whether it moved. */
  #timePassed(input: Input): boolean {
    const nowMs = this.#setup.nowMs();
    const due = this.#run.deadlineMs;
    if (nowMs <= this.#run.nowMs || (input.kind === "timer" && (due === undefined || due > nowMs)))
      return false;
    this.#moveClock(nowMs);
    return true;
  }

  #moveClock(nowMs: number): void {
    const record: DurableRecord = { kind: KIND.time, nowMs };
    this.#write(record);
    this.#run.apply(record);
  }

  /** Record an input and let it take effect. Returns whether it did. */
  #enter(input: Input): boolean {
    if (input.kind === "timer") return false;
    if (input.kind === "outcome") return this.#enterOutcome(input.call, input.outcome);
    try {
      if (this.#run.ended !== undefined) throw new DomainEndedError(this.name);
      if (input.kind === "mail") return this.#enterMail(input);
      if (input.kind === "message") this.#enterMessage(input.payload);
      else this.#enterCancel(input.reason);
      this.#acknowledge.push(input.accepted);
      return true;
    } catch (error) {
      input.accepted.reject(error);
      return false;
    }
  }

  #enterMessage(payload: unknown): void {
    const { record, bytes } = this.#recorded({ kind: KIND.message, payload } as const);
    if (!this.#run.accept(record.payload)) throw new MailboxFullError(INBOX_MESSAGES);
    this.#push(bytes);
  }

  /** One message of a delivery; the others come in after what it causes. Returns whether it was accepted now. */
  #enterMail(input: MailInput): boolean {
    const { delivery, at, accepted } = input;
    const keep = (mail: MailRecord, take: (reread: MailRecord) => boolean): boolean => {
      const { record, bytes } = this.#recorded(mail);
      const taken = take(record);
      if (taken) this.#push(bytes);
      return taken;
    };
    const taken = takeMail(this.#run, delivery, at, keep, this.#nextSeq);
    if (taken.took === "none") this.#answerMail(delivery, accepted, taken);
    else this.#inputs.unshift({ ...input, at: at + 1 });
    return taken.took === "recorded";
  }

  /** Say what became of a delivery, once that is durable. */
  #answerMail(
    delivery: Delivery,
    { resolve, reject }: PromiseWithResolvers<Receipt>,
    why: { readonly state: DeliveryState; readonly refusal?: unknown },
  ): void {
    const receipt = receiptFor(this.#run, delivery, this.#nextSeq - 1, why);
    const answer = { resolve: () => resolve(receipt), reject };
    if (this.#records.length > 0) this.#acknowledge.push(answer);
    else this.#durable.then(answer.resolve, reject);
  }

  #enterCancel(reason: unknown): void {
    const { record, bytes } = this.#recorded({ kind: KIND.cancel, reason } as const);
    this.#push(bytes);
    this.#run.apply(record);
  }

  #enterOutcome(call: AskedCall, outcome: Outcome): boolean {
    if (call.givenUp) return false;
    const { path, op, argsHash } = call;
    const { record, bytes } = this.#recordedOutcome({ kind: KIND.resume, path, op, argsHash, outcome });
    this.#push(bytes);
    if (call.told !== undefined) this.#acknowledge.push(call.told);
    this.#run.settle(call, record.outcome);
    return true;
  }

  /** An outcome as it comes out of its record; one that cannot be recorded is a failure that says so. */
  #recordedOutcome(record: Resumption): Recorded<Resumption> {
    try {
      return this.#recorded(record);
    } catch (error) {
      return this.#recorded({ ...record, outcome: failure(error) });
    }
  }

  /** The next record and how it comes out of its bytes. Nothing is written. */
  #recorded<Kind extends DurableRecord>(record: Kind): Recorded<Kind> {
    const bytes = encodeRecord(this.#nextSeq, record, this.#values);
    return { record: reread(record, bytes, this.#values), bytes };
  }

  /** Run until nothing is ready, and note what was asked for. Returns false when others have their turn first, or the domain left. */
  #runOn(): boolean {
    for (let renewals = 0; renewals < RENEWALS; renewals++) {
      if (!this.#ran()) return false;
      for (const call of this.#run.takeAsked()) this.#ask(call);
      if (this.#run.ended === undefined) return true;
      if (this.#run.renewal === undefined) return this.#finish(this.#run.ended);
      if (!this.#renew(this.#run.renewal)) return false;
    }
    this.#giveOthersTheirTurn();
    return false;
  }

  /** Run until nothing is ready. Returns false as {@link #runOn}. */
  #ran(): boolean {
    try {
      if (this.#run.run(SLICES)) return true;
      this.#giveOthersTheirTurn();
    } catch (violation) {
      this.#flush(); // An answer that was lost here would be one that nobody knows.
      this.#leave("lost", violation);
    }
    return false;
  }

  #giveOthersTheirTurn(): void {
    this.#yielding = true;
    this.#setup.timers.schedule(0, () => {
      this.#yielding = false;
      if (this.#state === "running" && this.#runOn()) this.#pump();
    });
  }

  /** Begin anew from a checkpoint, in a batch of its own (O5). Returns false when it cannot be recorded and the domain ended with that. */
  #renew(renewal: Renewal): boolean {
    try {
      this.#beginAnew(this.#changed(renewal) ?? this.#recorded({ kind: KIND.checkpoint, renewal } as const));
      return true;
    } catch (error) {
      return this.#finish({ kind: "failed", error });
    }
  }

  #beginAnew({ record, bytes, exchange }: Boundary): void {
    this.#flush();
    const seq = this.#nextSeq;
    this.#push(bytes);
    if (exchange !== undefined) this.#acknowledge.push(exchange.acknowledgement(seq, bytes.length));
    const isLong = this.#history.isLong();
    this.#flush(isLong ? () => this.#history.seal() : undefined);
    if (isLong)
      this.#durable.then(
        () => this.#history.removeBefore(seq),
        () => {},
      );
    this.#run = this.#run.renewed(record.renewal, exchange?.program);
  }

  /** O6. Undefined when no code waits, and when it refused. */
  #changed(renewal: Renewal): Boundary | undefined {
    const exchange = this.#exchanges.take();
    if (exchange === undefined) return undefined;
    try {
      // The new code gets a copy: whatever it does to that, the old goes on with its own.
      const { record } = this.#recorded({ kind: KIND.checkpoint, renewal } as const);
      const changed = exchange.renewalOf(record.renewal);
      return { ...this.#recorded({ kind: KIND.upgraded, renewal: changed } as const), exchange };
    } catch (error) {
      exchange.refuse(error);
      return undefined;
    }
  }

  /** A call is started after the flush; one that may happen once only has its intent in it. */
  #ask(call: AskedCall): void {
    const { path, op, argsHash } = call;
    if (happensOnce(op) && call.intentAt === 0) {
      call.intentAt = this.#nextSeq;
      this.#write({ kind: KIND.intent, path, op, argsHash });
    }
    this.#toStart.push(call);
  }

  /** The root task ended: record it last. Returns false. */
  #finish(exit: Exit): false {
    const outcome = outcomeOfExit(exit, this.#values === undefined ? RESULT_BYTES : KEPT_BYTES);
    this.#write({ kind: KIND.exit, outcome });
    this.#flush();
    this.#state = "ended";
    this.#exchanges.end();
    this.#timer?.cancel();
    for (const input of this.#inputs.splice(0))
      if ("accepted" in input) input.accepted.reject(new DomainEndedError(this.name));
    this.#durable.then(
      () => this.#conclude(outcome),
      (error: unknown) => this.#ended.reject(new DomainLostError(this.name, error)),
    );
    return false;
  }

  #conclude(outcome: Outcome): void {
    if (outcome.failed) this.#ended.reject(errorOf(outcome.error));
    else this.#ended.resolve(outcome.value);
  }

  #write(record: DurableRecord): void {
    this.#push(encodeRecord(this.#nextSeq, record, this.#values));
  }

  #push(bytes: Uint8Array): void {
    this.#nextSeq += 1;
    this.#records.push(bytes);
    this.#bytes += bytes.length;
    this.#history.grow(bytes.length);
  }

  /** Append what was recorded, after `first` was done; then start and acknowledge what waited for it (O1). */
  #flush(first?: () => Promise<unknown>): void {
    const [toStart, acknowledge] = [this.#toStart, this.#acknowledge];
    if (this.#records.length === 0 && toStart.length === 0) return;
    this.#toStart = [];
    this.#acknowledge = [];
    const appended = this.#append(first);
    const durable = this.#undurable === 0 ? appended : Promise.all([this.#durable, appended]);
    this.#undurable += 1;
    this.#durable = durable.then(
      () => {
        this.#undurable -= 1;
        for (const { resolve } of acknowledge) resolve();
        for (const call of toStart) this.#start(call);
      },
      (error: unknown) => {
        for (const { reject } of acknowledge) reject(new DomainLostError(this.name, error));
        this.#leave("lost", error);
        throw error;
      },
    );
    this.#durable.catch(() => {});
  }

  #append(first?: () => Promise<unknown>): Promise<void> {
    const count = this.#records.length;
    if (count === 0) return Promise.resolve();
    const body = joined(this.#records);
    this.#records = [];
    this.#bytes = 0;
    const firstSeq = this.#nextSeq - count;
    const batch = { domain: this.name, epoch: this.#epoch, firstSeq, count, body };
    const before = this.#gate ?? Promise.resolve();
    const sealed = first === undefined ? undefined : before.then(first);
    const taken = this.#values?.takePuts();
    const puts = sealed === undefined ? taken : Promise.all([sealed, taken]);
    if (puts === undefined && this.#gate === undefined) return this.#setup.journal.append(batch);
    return this.#appendAfter(puts, batch);
  }

  /** Append a batch after its large values are durable (O4), and after those that were to be appended before it. */
  #appendAfter(puts: Promise<unknown> | undefined, batch: JournalBatch): Promise<void> {
    const ready = Promise.all([this.#gate, puts]).then(() => {});
    const appended = ready.then(() => this.#setup.journal.append(batch));
    this.#gate = ready;
    const open = (): void => {
      if (this.#gate === ready) this.#gate = undefined;
    };
    ready.then(open, () => {});
    return appended;
  }

  #start(call: AskedCall): void {
    if (call.givenUp || (this.#state !== "running" && this.#state !== "ended")) return;
    const come = (outcome: Outcome): boolean => {
      if (call.givenUp || this.#state !== "running") return false;
      call.stop = undefined;
      this.#inputs.push({ kind: "outcome", call, outcome: this.#setup.secrets.redacted(outcome) });
      this.#pump();
      return true;
    };
    let request: unknown;
    try {
      request = this.#setup.secrets.revealed(call.request, call.service);
    } catch (refusal) {
      come(failure(refusal));
      return;
    }
    const begin = this.#setup.serviceOf(call.service).start(request, durableCall(this.#run, call));
    const stop = begin({
      ok: (value) => come({ failed: false, value }),
      fail: (error) => come(failure(error)),
    });
    if (this.#run.calls.get(call.call.path) === call) call.stop = stop;
  }

  #setTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const due = this.#run.deadlineMs;
    if (due === undefined || this.#state !== "running") return;
    this.#timer = this.#setup.timers.schedule(Math.max(due - this.#setup.nowMs(), 0), () => {
      this.#timer = undefined;
      this.#inputs.push({ kind: "timer" });
      this.#pump();
    });
  }

  /** O3. */
  #leave(state: "lost" | "stopped", why: unknown): void {
    if (this.#state !== "running") return;
    this.#state = state;
    this.#timer?.cancel();
    const error = new DomainLostError(this.name, why);
    this.#exchanges.end(error);
    for (const input of this.#inputs.splice(0)) if ("accepted" in input) input.accepted.reject(error);
    for (const { reject } of this.#acknowledge.splice(0)) reject(error);
    for (const call of this.#run.calls.values()) call.stop?.();
    this.#ended.reject(error);
  }
}
