/** The entry log of a journal in memory. */
import type { Entry, EntryLog } from "./entry.ts";

/** Keeps bodies; the entries themselves live on in the table they were applied to. */
export class MemoryLog implements EntryLog {
  readonly #bodies: Map<number, Uint8Array> = new Map();
  #next = 1;

  reserve(): void {}

  put(entry: Entry): number {
    if (entry.kind !== "batch") return 0;
    this.#bodies.set(this.#next, new Uint8Array(entry.body));
    return this.#next++;
  }

  load(place: number): Uint8Array {
    return (this.#bodies.get(place) as Uint8Array).slice();
  }

  release(place: number): void {
    this.#bodies.delete(place);
  }
}
