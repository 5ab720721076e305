/**
 * The main thread's end of the global queue: it alone adds entries, and every worker takes some.
 *
 * R1. Entries that were added are seen by workers once they are published, all together by one write. A write per entry would cost a
 *     transfer of the cache line that the workers look at, which is more than the rest of handing in a job.
 * R2. What exceeds the queue waits in this thread and follows when there is room: no entry is dropped.
 */
import { GLOBAL_HEAD, GLOBAL_TAIL, type JobMemory } from "./job-memory.ts";

/** The main thread's end. */
export class GlobalQueue {
  readonly #memory: JobMemory;
  /** Where the next entry goes. */
  #tail: number;
  #published: number;
  /** As last read: there is at least the room it leaves. */
  #head: number;
  readonly #overflow: number[] = [];

  constructor(memory: JobMemory) {
    this.#memory = memory;
    this.#tail = Atomics.load(memory.words, GLOBAL_TAIL);
    this.#published = this.#tail;
    this.#head = Atomics.load(memory.words, GLOBAL_HEAD);
  }

  /** Entries that workers do not see yet. */
  get unpublished(): number {
    return ((this.#tail - this.#published) | 0) + this.#overflow.length;
  }

  /** Add an entry, unpublished (R1). O(1). */
  push(entry: number): void {
    if (this.#overflow.length > 0 || !this.#fits()) this.#overflow.push(entry);
    else this.#write(entry);
  }

  /** Let workers see what was added, as far as there is room. */
  publish(): void {
    if (this.#overflow.length > 0) this.#refill();
    if (this.#tail === this.#published) return;
    Atomics.store(this.#memory.words, GLOBAL_TAIL, this.#tail);
    this.#published = this.#tail;
  }

  #refill(): void {
    let moved = 0;
    while (moved < this.#overflow.length && this.#fits()) this.#write(this.#overflow[moved++]!);
    this.#overflow.splice(0, moved);
  }

  #fits(): boolean {
    if (((this.#tail - this.#head) | 0) < this.#memory.globalCapacity) return true;
    this.#head = Atomics.load(this.#memory.words, GLOBAL_HEAD);
    return ((this.#tail - this.#head) | 0) < this.#memory.globalCapacity;
  }

  #write(entry: number): void {
    this.#memory.words[this.#memory.globalEntry(this.#tail)] = entry;
    this.#tail = (this.#tail + 1) | 0;
  }
}
