/**
 * Jobs in worker threads of this process.
 *
 * T1. A worker may die at any point, by `terminate`, an uncaught error or its memory limit. No job is lost: what it ran is started again, what
 *     it hid is found (`work-queues.ts` Q1), and what it had finished counts.
 * T2. A job is settled once: only the main thread settles, and frees the slot in the same step.
 * T3. The engine keeps the process alive only while jobs are open, those included that were handed on.
 */
import { availableParallelism } from "node:os";
import type { CancelSignal, JobEngine, JobEngineStats, JobEnvelope } from "@glia-os/abi/ports";
import { AbortedError, BadOptionError } from "../errors.ts";
import { type BudgetPlace, CpuBudget, MEMBERS } from "./cpu-budget.ts";
import { checkEnvelope, type HandedOn } from "./envelope.ts";
import { EngineClosedError, JobTimeoutError, MalformedJobError, WorkerFailedError } from "./errors.ts";
import { JobBook } from "./job-book.ts";
import * as at from "./job-memory.ts";
import { ThreadHandle } from "./thread-handle.ts";
import type { FromWorker } from "./threaded-messages.ts";
import { hidden, mend, pickSleeper, pushGlobal } from "./work-queues.ts";

/** How a threaded engine is made. */
export interface ThreadedEngineOptions {
  /** The module whose exported functions run jobs. It is trusted: threads share this process. */
  readonly module: URL;
  /** 1 to 32; default: the budget's processors, at most 32. */
  readonly workers?: number;
  /** Default: one of its own over `availableParallelism`. */
  readonly budget?: CpuBudget;
  /** Jobs in flight: 1 to 65,536; default 4096. */
  readonly inFlight?: number;
  /** Bytes of a job or result that fit shared memory directly: 64 to 65,536; default 512. Longer ones take a message. */
  readonly slotBytes?: number;
  /** Longest payload or result in bytes: up to 1 GiB; default 64 MiB. */
  readonly payloadBytes?: number;
  /** Times a job is started before it counts as lost: 1 to 1,000,000; default 3. */
  readonly attempts?: number;
  /** Longest time from `run` to the result in milliseconds; default none. */
  readonly timeoutMs?: number;
  /** Memory of one worker, buffers included, in bytes: at least 16 MiB; default none. See docs/engines.md for how far it holds. */
  readonly memoryBytes?: number;
  /** Hears how jobs ended that other jobs handed on. Must not throw. */
  readonly handedOn?: (outcome: HandedOn) => void;
}

/** Startup failures in a row after which the engine gives up. */
const STARTUP_FAILURES = 3;
const IN_FLIGHT = 4096;
const SLOT_BYTES = 512;
const PAYLOAD_BYTES = 64 * 1024 * 1024;
const PAYLOAD_MOST = 1024 ** 3;
const ATTEMPTS = 3;
const MEMORY_LEAST = 16 * 1024 * 1024;
/** Time between looks at deadlines and at the memory of workers, in milliseconds. */
const PATROL_MS = 50;
/** Longest delay of a timer: the keep-alive never fires in practice. */
const FOREVER_MS = 2 ** 31 - 1;

function within(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
}

class ThreadedEngine implements JobEngine {
  readonly kind = "threaded";
  readonly #options: ThreadedEngineOptions;
  readonly #budget: CpuBudget;
  readonly #places: readonly BudgetPlace[];
  readonly #memory: at.JobMemory;
  readonly #book: JobBook;
  readonly #threads: ThreadHandle[] = [];
  /** Entries for which the global queue has no room. */
  readonly #overflow: number[] = [];
  readonly #entries = new Map<string, number>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #patrol: NodeJS.Timeout | undefined;
  #listening = false;
  /** Jobs handed on when none of them was open. */
  #handed = 0;
  #startupFailures = 0;
  #broken: WorkerFailedError | undefined;
  #closing: Promise<void> | undefined;
  #restarted = 0;
  #lost = 0;

  constructor(options: ThreadedEngineOptions) {
    this.#budget = options.budget ?? new CpuBudget(availableParallelism());
    const workers = within(
      "workers",
      options.workers ?? Math.min(MEMBERS, this.#budget.processors),
      1,
      MEMBERS,
    );
    const inFlight = within("inFlight", options.inFlight ?? IN_FLIGHT, 1, 65_536);
    const slotBytes = within("slotBytes", options.slotBytes ?? SLOT_BYTES, 64, 65_536);
    within("payloadBytes", options.payloadBytes ?? PAYLOAD_BYTES, 1, PAYLOAD_MOST);
    within("attempts", options.attempts ?? ATTEMPTS, 1, 1_000_000);
    if (options.timeoutMs !== undefined) within("timeoutMs", options.timeoutMs, 1, FOREVER_MS);
    if (options.memoryBytes !== undefined)
      within("memoryBytes", options.memoryBytes, MEMORY_LEAST, Number.MAX_SAFE_INTEGER);
    this.#options = options;
    const slots = 2 ** Math.ceil(Math.log2(inFlight + workers * at.LENT_SLOTS));
    this.#memory = at.JobMemory.create(slots, slotBytes, workers);
    this.#book = new JobBook(this.#memory, inFlight, options.payloadBytes ?? PAYLOAD_BYTES);
    this.#places = Array.from({ length: workers }, () => this.#budget.join());
    this.#keepAlive = setInterval(() => undefined, FOREVER_MS).unref();
    const patrols = options.timeoutMs !== undefined || options.memoryBytes !== undefined;
    this.#patrol = patrols ? setInterval(() => this.#onPatrol(), PATROL_MS).unref() : undefined;
    for (let worker = 0; worker < workers; worker++) this.#start(worker);
    this.#listen();
  }

  run<Result>(job: JobEnvelope, cancel?: CancelSignal): Promise<Result> {
    try {
      const slot = this.#take(job);
      const promise = this.#book.promise(slot, job.id) as Promise<Result>;
      this.#limit(slot, cancel);
      this.#queue(slot);
      return promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  stats(): JobEngineStats {
    const { inFlight, finished, failed } = this.#book;
    const workers = this.#threads.filter((thread) => thread.live).length;
    return { workers, inFlight, finished, failed, restarted: this.#restarted, workersLost: this.#lost };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** End the thread of a worker as an accident would, at whatever point it is. For tests of recovery. */
  async terminate(worker: number): Promise<void> {
    await this.#threads[worker]?.terminate();
  }

  async #close(): Promise<void> {
    this.#book.refuseAll((id) => new EngineClosedError(id));
    clearInterval(this.#keepAlive);
    clearInterval(this.#patrol);
    Atomics.notify(this.#memory.words, at.DOORBELL);
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
    for (const place of this.#places) this.#budget.leave(place);
  }

  /** Check a job and write it into a slot. */
  #take(job: JobEnvelope): number {
    if (this.#closing !== undefined) throw new EngineClosedError(String(job?.id));
    if (this.#broken !== undefined) throw this.#broken;
    checkEnvelope(job);
    return this.#book.write(job, this.#entry(job.entry));
  }

  #entry(name: string): number {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const number = this.#entries.size;
    if (number >= at.ENTRIES) throw new MalformedJobError("entry", `one of at most ${at.ENTRIES} names`);
    this.#memory.writeEntry(number, name);
    this.#entries.set(name, number);
    return number;
  }

  #limit(slot: number, cancel: CancelSignal | undefined): void {
    const { timeoutMs } = this.#options;
    if (timeoutMs !== undefined) this.#book.setDeadline(slot, performance.now() + timeoutMs);
    if (this.#book.inFlight === 1) this.#keepAlive.ref();
    if (cancel === undefined) return;
    const ticket = this.#book.ticket(slot);
    const forget = cancel.onCancel((reason) => {
      if (this.#book.ticket(slot) === ticket)
        this.#stop(slot, reason instanceof Error ? reason : new AbortedError(reason));
    });
    this.#book.onSettled(slot, forget);
  }

  #queue(slot: number): void {
    const state = this.#memory.slot(slot) + at.STATE;
    // A job that was cancelled before it was queued has been settled.
    if (!this.#book.waiting(slot)) return;
    Atomics.store(this.#memory.words, state, at.QUEUED);
    this.#push(slot);
  }

  #push(slot: number): void {
    if (this.#overflow.length > 0 || !pushGlobal(this.#memory, slot)) this.#overflow.push(slot);
    this.#wake();
  }

  #wake(): void {
    const sleeper = pickSleeper(this.#memory);
    if (sleeper >= 0) this.#places[sleeper]!.wake();
  }

  /** Settle a job with an error now; a worker that runs it is ended. */
  #stop(slot: number, error: Error): void {
    const { words } = this.#memory;
    const state = this.#memory.slot(slot) + at.STATE;
    this.#book.refuse(slot, error);
    this.#rest();
    for (;;) {
      const seen = Atomics.load(words, state);
      if ((seen & 7) === at.CLAIMED) {
        void this.#threads[seen >> 3]?.terminate();
        return;
      }
      if ((seen & 7) === at.DONE) return;
      if (Atomics.compareExchange(words, state, seen, at.FREE) !== seen) continue;
      this.#free(slot);
      return;
    }
  }

  /** Let the process end when nobody waits (T3). */
  #rest(): void {
    if (this.#book.inFlight > 0) return;
    const handed = Atomics.load(this.#memory.words, at.HANDED);
    // Looking at every slot is for engines whose jobs hand on, and only while some of those may be open.
    if (handed !== this.#handed && this.#anyOpen()) return;
    this.#handed = handed;
    this.#keepAlive.unref();
  }

  #anyOpen(): boolean {
    for (let slot = 0; slot < this.#memory.slots; slot++) {
      const state = Atomics.load(this.#memory.words, this.#memory.slot(slot) + at.STATE) & 7;
      if (state !== at.FREE && state !== at.LENT) return true;
    }
    return false;
  }

  #free(slot: number): void {
    this.#book.free(slot);
    this.#rest();
  }

  /** Settle what workers finished, again and again until there is nothing, then wait for the doorbell. */
  #listen(): void {
    const { words } = this.#memory;
    while (this.#closing === undefined && !this.#listening) {
      const rung = Atomics.load(words, at.DOORBELL);
      Atomics.store(words, at.LISTENING, 1);
      this.#drain();
      const wait = Atomics.waitAsync(words, at.DOORBELL, rung);
      if (!wait.async) continue;
      this.#listening = true;
      void wait.value.then(() => {
        this.#listening = false;
        this.#listen();
      });
    }
  }

  #drain(): void {
    const { words } = this.#memory;
    for (let worker = 0; worker < this.#memory.workers; worker++) {
      const base = this.#memory.worker(worker);
      let head = words[base + at.DONE_HEAD]!;
      for (; head !== Atomics.load(words, base + at.DONE_TAIL); head = (head + 1) | 0)
        this.#settle(Atomics.load(words, this.#memory.doneEntry(worker, head)));
      words[base + at.DONE_HEAD] = head;
      this.#lend(worker);
    }
    while (this.#overflow.length > 0 && pushGlobal(this.#memory, this.#overflow[0]!)) this.#overflow.shift();
  }

  #settle(slot: number): boolean {
    const state = this.#memory.slot(slot) + at.STATE;
    if ((Atomics.load(this.#memory.words, state) & 7) !== at.DONE) return true;
    if (!this.#book.settle(slot, this.#options.handedOn)) return false;
    Atomics.store(this.#memory.words, state, at.FREE);
    this.#free(slot);
    return true;
  }

  /** Keep a worker supplied with slots for jobs that are handed on. */
  #lend(worker: number): void {
    const { words } = this.#memory;
    const base = this.#memory.worker(worker);
    const tail = words[base + at.LENT_TAIL]!;
    const lent = (tail - Atomics.load(words, base + at.LENT_HEAD)) | 0;
    if (2 * lent > at.LENT_SLOTS || this.#threads[worker]?.live !== true) return;
    let next = tail;
    for (let i = lent; i < at.LENT_SLOTS; i++) {
      const slot = this.#book.lend();
      if (slot < 0) break;
      Atomics.store(words, this.#memory.slot(slot) + at.STATE, at.LENT | (worker << 3));
      Atomics.store(words, this.#memory.lentEntry(worker, next), slot);
      next = (next + 1) | 0;
    }
    if (next === tail) return;
    Atomics.store(words, base + at.LENT_TAIL, next);
    this.#mail(worker);
  }

  #mail(worker: number): void {
    const { words } = this.#memory;
    const mail = this.#memory.worker(worker) + at.MAIL;
    Atomics.add(words, mail, 1);
    Atomics.notify(words, mail);
  }

  #start(worker: number): void {
    const { module, payloadBytes = PAYLOAD_BYTES, memoryBytes } = this.#options;
    this.#threads[worker] = new ThreadHandle(
      {
        worker,
        module: module.href,
        memory: this.#memory.shape,
        budget: this.#budget.memory,
        place: this.#places[worker]!.id,
        places: this.#places.map(({ id }) => id),
        payloadBytes,
      },
      memoryBytes,
      (message) => this.#heard(worker, message),
      (thread) => this.#died(worker, thread),
    );
  }

  #heard(worker: number, message: FromWorker): void {
    if (this.#closing !== undefined) return;
    if (message.kind === "ready") {
      this.#startupFailures = 0;
      for (const name of message.entries) if (this.#entries.size < at.ENTRIES) this.#entry(name);
      this.#lend(worker);
      this.#threads[worker]!.send({});
      this.#mail(worker);
    } else if (message.kind === "need") {
      this.#threads[worker]!.send({ bytes: this.#book.largeJob(message.slot) });
      this.#mail(worker);
    } else if (message.kind === "result") {
      this.#book.largeResult(message.slot, worker, message.bytes);
      this.#settle(message.slot);
    } else this.#push(message.slot);
  }

  #died(worker: number, thread: ThreadHandle): void {
    if (this.#closing !== undefined) return;
    if (!thread.ready && !thread.ended) this.#startupFailures++;
    this.#lost++;
    const bit = 1 << worker;
    Atomics.and(this.#memory.words, at.SEARCHING, ~bit);
    Atomics.and(this.#memory.words, at.SLEEPING, ~bit);
    this.#budget.left(this.#places[worker]!);
    mend(this.#memory, worker);
    this.#drain();
    this.#recover(worker, thread);
    if (this.#startupFailures >= STARTUP_FAILURES) this.#giveUp(thread.failure);
    else this.#start(worker);
    // Its last wake-ups may have died with it: to the main thread, and to the others.
    Atomics.store(this.#memory.words, at.LISTENING, 1);
    this.#drain();
    for (const place of this.#places) place.wake();
  }

  /** Free, settle or start again what the dead worker owned, and queue what it hid. */
  #recover(worker: number, thread: ThreadHandle): void {
    const { words } = this.#memory;
    const base = this.#memory.worker(worker);
    Atomics.store(words, base + at.LENT_HEAD, words[base + at.LENT_TAIL]!);
    for (let slot = 0; slot < this.#memory.slots; slot++) {
      const state = this.#memory.slot(slot) + at.STATE;
      const seen = Atomics.load(words, state);
      if (seen >> 3 !== worker || (seen & 7) < at.CLAIMED) continue;
      if ((seen & 7) === at.LENT) {
        Atomics.store(words, state, at.FREE);
        this.#book.giveBack(slot);
      } else if ((seen & 7) === at.CLAIMED || !this.#settle(slot)) this.#again(slot, thread);
    }
    for (const slot of hidden(this.#memory)) this.#push(slot);
  }

  #again(slot: number, thread: ThreadHandle): void {
    const { words } = this.#memory;
    const state = this.#memory.slot(slot) + at.STATE;
    const attempts = this.#options.attempts ?? ATTEMPTS;
    if (this.#book.restart(slot, attempts, thread.overMemory, this.#options)) {
      this.#restarted++;
      Atomics.store(words, state, at.QUEUED);
      this.#push(slot);
    } else {
      Atomics.store(words, state, at.FREE);
      this.#free(slot);
    }
  }

  #giveUp(cause: unknown): void {
    const broken = new WorkerFailedError(cause);
    this.#broken = broken;
    this.#book.refuseAll(() => broken);
    this.#keepAlive.unref();
  }

  #onPatrol(): void {
    if (this.#book.inFlight === 0) return;
    const { timeoutMs, memoryBytes } = this.#options;
    if (timeoutMs !== undefined)
      for (const [slot, id] of this.#book.overdue(performance.now()))
        this.#stop(slot, new JobTimeoutError(id, timeoutMs));
    if (memoryBytes !== undefined) for (const thread of this.#threads) thread.checkMemory();
  }
}

/** A threaded engine, as seen by whoever makes it. */
export interface Threads extends JobEngine {
  /** End the thread of a worker (0 to workers - 1) as an accident would, at whatever point it is. For tests of recovery. */
  terminate(worker: number): Promise<void>;
}

/** Jobs in worker threads. @throws {BadOptionError} {BudgetFullError} */
export function createThreadedEngine(options: ThreadedEngineOptions): Threads {
  return new ThreadedEngine(options);
}
