/**
 * One worker's search for jobs: its LIFO slot, its deque, its share of the global queue, then the queues of others.
 *
 * F1. At most half of the workers, and at least one, search the queues of others at a time.
 * F2. Neither the LIFO slot nor the deque starves what lies behind it: after 3 jobs in a row the slot gives way, and every 61st job comes
 *     from the global queue first.
 */
import { DONE_TAIL, type JobMemory, LIFO, LOCAL_SLOTS, SEARCHING } from "./job-memory.ts";
import { VictimChoice } from "./victim-choice.ts";
import {
  BATCH,
  claim,
  globalSize,
  LOST,
  localSize,
  NONE,
  popLocal,
  pushLocal,
  pushMany,
  steal,
  takeGlobal,
  takeNewest,
} from "./work-queues.ts";

/** The figure of Go and tokio (F2). */
const GLOBAL_EVERY = 61;
const LIFO_ROW = 3;

/** One worker's search. */
export class WorkFinder {
  readonly #memory: JobMemory;
  readonly #worker: number;
  readonly #victims: VictimChoice;
  readonly #batch: Int32Array = new Int32Array(BATCH);
  #tick = 0;
  #row = 0;

  /** `draw(n)` gives a number in [0, n). */
  constructor(memory: JobMemory, worker: number, draw: (n: number) => number) {
    this.#memory = memory;
    this.#worker = worker;
    this.#victims = new VictimChoice(memory.workers, worker, draw);
  }

  /** A job of this worker from now on, or -1. */
  next(): number {
    for (;;) {
      const entry = this.#entry();
      if (entry === NONE) return NONE;
      if (claim(this.#memory, entry, this.#worker)) return entry;
    }
  }

  /**
   * Queue a job that this worker's present job handed on. Returns true when the deque was full: its older half is then in the ring of slots the
   * main thread shall look at, which moves them to the global queue.
   */
  handOn(slot: number): boolean {
    const memory = this.#memory;
    const older = Atomics.exchange(memory.words, memory.worker(this.#worker) + LIFO, slot);
    if (older === NONE || pushLocal(memory, this.#worker, older)) return false;
    this.#shed(LOCAL_SLOTS / 2);
    pushLocal(memory, this.#worker, older);
    return true;
  }

  /** Begin to search, unless too many do (F1). Ends with `endSearch`. */
  beginSearch(): boolean {
    const { words, workers } = this.#memory;
    const searching = Atomics.load(words, SEARCHING);
    let others = 0;
    for (let rest = searching; rest !== 0; rest &= rest - 1) others++;
    if (2 * (others + 1) > Math.max(2, workers)) return false;
    return (
      Atomics.compareExchange(words, SEARCHING, searching, searching | (1 << this.#worker)) === searching
    );
  }

  endSearch(): void {
    Atomics.and(this.#memory.words, SEARCHING, ~(1 << this.#worker));
  }

  #shed(count: number): void {
    const memory = this.#memory;
    const at = memory.worker(this.#worker) + DONE_TAIL;
    for (let left = count; left > 0; left--) {
      const entry = steal(memory, this.#worker);
      if (entry === NONE) return;
      if (entry === LOST) continue;
      const tail = Atomics.load(memory.words, at);
      Atomics.store(memory.words, memory.doneEntry(this.#worker, tail), entry);
      Atomics.store(memory.words, at, (tail + 1) | 0);
    }
  }

  #entry(): number {
    const memory = this.#memory;
    if (++this.#tick % GLOBAL_EVERY === 0 && takeGlobal(memory, 1, this.#batch) === 1) return this.#batch[0]!;
    if (this.#row < LIFO_ROW) {
      const newest = takeNewest(memory, this.#worker);
      if (newest !== NONE) {
        this.#row++;
        return newest;
      }
    }
    this.#row = 0;
    const local = popLocal(memory, this.#worker);
    if (local !== NONE) return local;
    const shared = this.#fromGlobal();
    if (shared !== NONE) return shared;
    const last = takeNewest(memory, this.#worker);
    return last === NONE ? this.#search() : last;
  }

  /** This worker's share of the global queue: the first is returned, the others go into its deque, which is empty. */
  #fromGlobal(): number {
    const memory = this.#memory;
    const size = globalSize(memory);
    if (size === 0) return NONE;
    const count = takeGlobal(memory, Math.min(BATCH, Math.ceil(size / memory.workers)), this.#batch);
    if (count === 0) return NONE;
    if (count > 1) pushMany(memory, this.#worker, this.#batch.subarray(1, count));
    return this.#batch[0]!;
  }

  #search(): number {
    if (this.#memory.workers === 1 || !this.beginSearch()) return NONE;
    try {
      return this.#rob();
    } finally {
      this.endSearch();
    }
  }

  #rob(): number {
    const victims = this.#victims;
    victims.begin();
    for (let victim = victims.next(); victim >= 0; victim = victims.next()) {
      const entry = this.#robOne(victim);
      if (entry === NONE) continue;
      victims.paid(victim);
      return entry;
    }
    victims.missed();
    return NONE;
  }

  /** Half of a deque: the oldest is returned, the others go into this worker's deque, which is empty. */
  #robOne(victim: number): number {
    const memory = this.#memory;
    const share = Math.min(BATCH, Math.ceil(localSize(memory, victim) / 2));
    let first = NONE;
    for (let moved = 0; moved < share; ) {
      const entry = steal(memory, victim);
      if (entry === NONE) break;
      if (entry === LOST) continue;
      if (first === NONE) first = entry;
      else pushLocal(memory, this.#worker, entry);
      moved++;
    }
    return first === NONE ? takeNewest(memory, victim) : first;
  }
}
