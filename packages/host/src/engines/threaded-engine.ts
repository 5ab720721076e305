/**
 * Jobs in worker threads of this process.
 *
 * T1. A worker may die at any point, by `terminate`, an uncaught error or its memory limit. No job is lost: what it ran is started again, what
 *     it hid is found (`work-queues.ts` Q1), and what it had finished counts.
 * T2. A job is settled once: only the main thread settles, and frees the slot in the same step.
 * T3. The engine keeps the process alive only while jobs are open, those included that were handed on.
 * T4. Closing settles every job and reports every one that was handed on, after the last worker has ended: none is dropped without a word.
 */
import { availableParallelism } from "node:os";
import type {
  CancelSignal,
  JobEngine,
  JobEngineClose,
  JobEngineStats,
  JobEnvelope,
} from "@glia-os/abi/ports";
import { AbortedError } from "../errors.ts";
import { type BudgetPlace, CpuBudget } from "./cpu-budget.ts";
import { DrainWait, drainMsOf } from "./drain-wait.ts";
import { checkEntry, checkNames } from "./envelope.ts";
import { EngineClosedError, JobTimeoutError, MalformedJobError, WorkerFailedError } from "./errors.ts";
import { GlobalQueue } from "./global-queue.ts";
import { HandedOnCount } from "./handed-on-count.ts";
import { JobBook } from "./job-book.ts";
import * as at from "./job-memory.ts";
import { ResultListener } from "./result-listener.ts";
import { ThreadHandle } from "./thread-handle.ts";
import type { FromWorker } from "./threaded-messages.ts";
import {
  FOREVER_MS,
  type ThreadedEngineOptions,
  type ThreadedSettings,
  threadedSettings,
} from "./threaded-options.ts";
import { hidden, mend, pickSleeper } from "./work-queues.ts";

/** Startup failures in a row after which the engine gives up. */
const STARTUP_FAILURES = 3;
/** Time between looks at deadlines and at the memory of workers, in milliseconds. */
const PATROL_MS = 50;
/** Jobs that one step of the caller queues before workers hear of more than the first. */
const PUBLISH_EVERY = 16;

class ThreadedEngine implements JobEngine {
  readonly kind = "threaded";
  readonly #options: ThreadedEngineOptions;
  readonly #settings: ThreadedSettings;
  readonly #budget: CpuBudget;
  readonly #places: readonly BudgetPlace[];
  readonly #memory: at.JobMemory;
  readonly #book: JobBook;
  readonly #global: GlobalQueue;
  readonly #children: HandedOnCount;
  readonly #listener: ResultListener;
  readonly #threads: ThreadHandle[] = [];
  readonly #entries = new Map<string, number>();
  readonly #keepAlive: NodeJS.Timeout;
  readonly #patrol: NodeJS.Timeout | undefined;
  readonly #drained = new DrainWait();
  #flushDue = false;
  #startupFailures = 0;
  #broken: WorkerFailedError | undefined;
  /** Whether jobs are still taken. */
  #taking = true;
  #closing: Promise<void> | undefined;
  #closed = false;
  #restarted = 0;
  #lost = 0;

  constructor(options: ThreadedEngineOptions) {
    const processors = availableParallelism();
    this.#budget = options.budget ?? new CpuBudget(processors);
    const settings = threadedSettings(options, this.#budget, processors);
    const { workers, inFlight, slotBytes, payloadBytes, spinMs } = settings;
    this.#options = options;
    this.#settings = settings;
    const slots = 2 ** Math.ceil(Math.log2(inFlight + workers * at.LENT_SLOTS));
    this.#memory = at.JobMemory.create(slots, slotBytes, workers);
    this.#book = new JobBook(this.#memory, inFlight, payloadBytes);
    this.#global = new GlobalQueue(this.#memory);
    this.#children = new HandedOnCount(this.#memory);
    this.#places = Array.from({ length: workers }, () => this.#budget.join());
    this.#keepAlive = setInterval(() => undefined, FOREVER_MS).unref();
    const patrols = options.timeoutMs !== undefined || options.memoryBytes !== undefined;
    this.#patrol = patrols ? setInterval(() => this.#onPatrol(), PATROL_MS).unref() : undefined;
    const { words } = this.#memory;
    this.#listener = new ResultListener(
      words,
      { drain: () => this.#drain(), open: () => !this.#idle },
      spinMs,
    );
    for (let worker = 0; worker < workers; worker++) this.#start(worker);
    this.#listener.listen();
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

  close(options?: JobEngineClose): Promise<void> {
    try {
      const drainMs = drainMsOf(options);
      this.#taking = false;
      if (drainMs === 0 || this.#idle) {
        this.#drained.end();
        this.#closing ??= this.#close();
      } else {
        this.#drained.within(drainMs);
        this.#closing ??= this.#drained.over.then(() => this.#close());
      }
      return this.#closing;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** End the thread of a worker as an accident would, at whatever point it is. For tests of recovery. */
  async terminate(worker: number): Promise<void> {
    await this.#threads[worker]?.terminate();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#book.refuseAll((id) => new EngineClosedError(id));
    clearInterval(this.#keepAlive);
    clearInterval(this.#patrol);
    this.#listener.close();
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
    this.#drain();
    this.#refuseHandedOn((id) => new EngineClosedError(id));
    for (const place of this.#places) this.#budget.leave(place);
  }

  /** Whether no job is open, from outside or handed on. */
  get #idle(): boolean {
    return this.#book.inFlight === 0 && this.#children.open === 0;
  }

  /** Check a job and write it into a slot. */
  #take(job: JobEnvelope): number {
    if (!this.#taking) throw new EngineClosedError(String(job?.id));
    if (this.#broken !== undefined) throw this.#broken;
    checkNames(job);
    return this.#book.write(job, this.#entry(job.entry));
  }

  #entry(name: string): number {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    checkEntry(name);
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
    this.#global.push(slot);
    if (!this.#flushDue) {
      this.#flushDue = true;
      this.#listener.begin();
      this.#publish();
      queueMicrotask(() => this.#flush());
    } else if (this.#global.unpublished >= PUBLISH_EVERY) this.#publish();
  }

  #flush(): void {
    this.#flushDue = false;
    this.#publish();
    this.#listener.expect();
  }

  #publish(): void {
    this.#global.publish();
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
    for (;;) {
      const seen = Atomics.load(words, state);
      if ((seen & 7) === at.CLAIMED) {
        void this.#threads[seen >> 3]?.terminate();
        break;
      }
      if ((seen & 7) === at.DONE) break;
      if (Atomics.compareExchange(words, state, seen, at.FREE) !== seen) continue;
      this.#book.free(slot);
      break;
    }
    this.#rest();
  }

  /** Let the process end when nobody waits (T3), and the engine when it is closed. */
  #rest(): void {
    if (!this.#idle) return;
    this.#keepAlive.unref();
    if (!this.#taking) this.#drained.end();
  }

  #free(slot: number): void {
    this.#book.free(slot);
    this.#rest();
  }

  /** Take what workers put into their rings: settle what is done, queue what exceeds their deques. Gives how many there were. */
  #drain(): number {
    const { words } = this.#memory;
    let taken = 0;
    for (let worker = 0; worker < this.#memory.workers; worker++) {
      const base = this.#memory.worker(worker);
      let head = words[base + at.DONE_HEAD]!;
      const tail = Atomics.load(words, base + at.DONE_TAIL);
      if (head !== tail) {
        taken += (tail - head) | 0;
        for (; head !== tail; head = (head + 1) | 0)
          this.#receive(Atomics.load(words, this.#memory.doneEntry(worker, head)));
        words[base + at.DONE_HEAD] = head;
      }
      if (!this.#closed) this.#lend(worker);
    }
    if (this.#global.unpublished > 0) this.#publish();
    return taken;
  }

  #receive(slot: number): void {
    const state = Atomics.load(this.#memory.words, this.#memory.slot(slot) + at.STATE) & 7;
    if (state === at.DONE) this.#settle(slot);
    else if (state === at.QUEUED) this.#global.push(slot);
  }

  #settle(slot: number): boolean {
    const state = this.#memory.slot(slot) + at.STATE;
    if ((Atomics.load(this.#memory.words, state) & 7) !== at.DONE) return true;
    if (!this.#book.settle(slot, this.#options.handedOn)) return false;
    if (this.#book.handedOn(slot)) this.#children.settled();
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
    const { module, memoryBytes } = this.#options;
    this.#threads[worker] = new ThreadHandle(
      {
        worker,
        module: module.href,
        memory: this.#memory.shape,
        budget: this.#budget.memory,
        place: this.#places[worker]!.id,
        places: this.#places.map(({ id }) => id),
        payloadBytes: this.#settings.payloadBytes,
        spinMs: this.#settings.spinMs,
      },
      memoryBytes,
      (message) => this.#heard(worker, message),
      (thread) => this.#died(worker, thread),
    );
  }

  #heard(worker: number, message: FromWorker): void {
    if (this.#closed) return;
    if (message.kind === "ready") {
      this.#startupFailures = 0;
      for (const name of message.entries) if (this.#entries.size < at.ENTRIES) this.#entry(name);
      this.#lend(worker);
      this.#threads[worker]!.send({});
      this.#mail(worker);
    } else if (message.kind === "need") {
      this.#threads[worker]!.send({ bytes: this.#book.largeJob(message.slot) });
      this.#mail(worker);
    } else {
      this.#book.largeResult(message.slot, worker, message.bytes);
      this.#settle(message.slot);
    }
  }

  #died(worker: number, thread: ThreadHandle): void {
    if (this.#closed) return;
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
    this.#listener.listen();
    for (const place of this.#places) place.wake();
  }

  /** Free, settle or start again what the dead worker owned, and queue what it hid. */
  #recover(worker: number, thread: ThreadHandle): void {
    const { words } = this.#memory;
    let unused = 0;
    for (let slot = 0; slot < this.#memory.slots; slot++) {
      const state = this.#memory.slot(slot) + at.STATE;
      const seen = Atomics.load(words, state);
      if (seen >> 3 !== worker || (seen & 7) < at.CLAIMED) continue;
      if ((seen & 7) === at.LENT) {
        unused++;
        Atomics.store(words, state, at.FREE);
        this.#book.giveBack(slot);
      } else if ((seen & 7) === at.CLAIMED || !this.#settle(slot)) this.#again(slot, thread);
    }
    this.#children.died(worker, unused);
    this.#book.freeBlocks(worker);
    for (const slot of hidden(this.#memory)) this.#global.push(slot);
    this.#publish();
    this.#rest();
  }

  #again(slot: number, thread: ThreadHandle): void {
    const state = this.#memory.slot(slot) + at.STATE;
    if (this.#book.restart(slot, this.#settings.attempts, thread.overMemory, this.#options)) {
      this.#restarted++;
      Atomics.store(this.#memory.words, state, at.QUEUED);
      this.#global.push(slot);
    } else {
      if (this.#book.handedOn(slot)) this.#children.settled();
      Atomics.store(this.#memory.words, state, at.FREE);
      this.#free(slot);
    }
  }

  #giveUp(cause: unknown): void {
    const broken = new WorkerFailedError(cause);
    this.#broken = broken;
    this.#book.refuseAll(() => broken);
    this.#refuseHandedOn(() => broken);
    this.#keepAlive.unref();
    if (!this.#taking) this.#drained.end();
  }

  /** Report the jobs that were handed on and wait, and those of threads that have ended, as not done. */
  #refuseHandedOn(error: (id: string) => Error): void {
    const { words } = this.#memory;
    for (let slot = 0; slot < this.#memory.slots; slot++) {
      const state = this.#memory.slot(slot) + at.STATE;
      const seen = Atomics.load(words, state);
      const left = this.#closed ? seen !== at.FREE && (seen & 7) !== at.LENT : seen === at.QUEUED;
      if (!left || !this.#book.handedOn(slot)) continue;
      if (Atomics.compareExchange(words, state, seen, at.FREE) !== seen) continue;
      this.#book.refuseHandedOn(slot, error, this.#options.handedOn);
      this.#children.settled();
      this.#book.free(slot);
    }
  }

  #onPatrol(): void {
    if (this.#idle) return;
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
