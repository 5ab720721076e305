/**
 * The entries of an agent's log that not every replica has yet (docs/spec/replica.md, "What is recorded, and why").
 *
 * EL1. Entries are numbered from 1 without gaps; those that are kept follow each other. A number is given also to an entry that nobody waits for.
 */
import { ENTRIES_MAX, PART_MAX } from "./messages.ts";

/** One agent's entries, until all have them. */
export class EntryLog {
  #entries: Uint8Array[] = [];
  #last = 0;
  #bytes = 0;

  /** The last number given. */
  get last(): number {
    return this.#last;
  }

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Give an entry its number; `kept`: somebody is to get it. */
  append(entry: Uint8Array, kept: boolean): number {
    this.#last++;
    if (kept) {
      this.#entries.push(entry);
      this.#bytes += entry.length;
    } else this.clear();
    return this.#last;
  }

  /** What follows a position, as much as one call carries. */
  after(position: number): readonly Uint8Array[] {
    const from = this.#indexAfter(position);
    let bytes = 0;
    let to = from;
    for (; to < this.#entries.length && to - from < ENTRIES_MAX; to++) {
      bytes += this.#entries[to]?.length ?? 0;
      if (to > from && bytes > PART_MAX) break;
    }
    return this.#entries.slice(from, to);
  }

  /** Bytes after a position. Linear in the entries that are kept. */
  bytesAfter(position: number): number {
    let bytes = 0;
    for (let at = this.#indexAfter(position); at < this.#entries.length; at++)
      bytes += this.#entries[at]?.length ?? 0;
    return bytes;
  }

  /** Everybody has what comes up to a position. */
  forget(position: number): void {
    for (const entry of this.#entries.splice(0, this.#indexAfter(position))) this.#bytes -= entry.length;
  }

  /** Nobody is to get any of it. */
  clear(): void {
    this.#entries = [];
    this.#bytes = 0;
  }

  #indexAfter(position: number): number {
    const first = this.#last - this.#entries.length;
    return Math.min(this.#entries.length, Math.max(0, position - first));
  }
}
