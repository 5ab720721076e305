/**
 * How many jobs that were handed on are open.
 *
 * O1. A worker takes a lent slot for each job it hands on, so the heads of the rings of lent slots say how many there were. A head moves before
 *     the job that hands on is over: with no job from outside open and this count at 0, nothing is open.
 */
import { type JobMemory, LENT_HEAD, LENT_TAIL } from "./job-memory.ts";

/** The main thread's count. */
export class HandedOnCount {
  readonly #memory: JobMemory;
  /** Jobs that are over, and slots that heads went past without a job. */
  #over = 0;

  constructor(memory: JobMemory) {
    this.#memory = memory;
  }

  /** Jobs that are not settled. O(workers). */
  get open(): number {
    let heads = 0;
    for (let worker = 0; worker < this.#memory.workers; worker++)
      heads = (heads + Atomics.load(this.#memory.words, this.#memory.worker(worker) + LENT_HEAD)) | 0;
    return (heads - this.#over) | 0;
  }

  /** One was settled. */
  settled(): void {
    this.#over = (this.#over + 1) | 0;
  }

  /** A worker is gone: empty its ring of lent slots, of which `unused` came back. */
  died(worker: number, unused: number): void {
    const { words } = this.#memory;
    const base = this.#memory.worker(worker);
    const tail = Atomics.load(words, base + LENT_TAIL);
    Atomics.store(words, base + LENT_HEAD, tail);
    this.#over = (this.#over + unused) | 0;
  }
}
