/**
 * How often each word occurred: an open-addressing table over one arena of UTF-8, with no object per word.
 *
 * F1. Counts are exact while the table holds at most {@link DISTINCT_MAX} words and {@link ARENA_MAX} bytes of text.
 * F2. Past either limit the table gives its memory back, answers `overflowed`, and counts nothing any more.
 * F3. Words of equal count are ordered by code point, which is the byte order of UTF-8.
 */
import { type WordCount, wordCountOf } from "./words.ts";

/** Most distinct words counted exactly; the limit of the main job's definition. */
export const DISTINCT_MAX = 1_000_000;

/** Most bytes of distinct words: 64 MiB, more than a million of the longest keys. */
export const ARENA_MAX: number = 64 * 1024 * 1024;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const FIRST_SLOTS = 1 << 12;
const FIRST_ARENA = 1 << 16;

/** Bounds that tests lower. */
export interface FrequencyLimits {
  readonly distinct: number;
  readonly arena: number;
}

/** Counts of distinct byte strings (F1 to F3). `add` takes O(length) expected. */
export class FrequencyTable {
  readonly #limits: FrequencyLimits;
  #slots = new Int32Array(FIRST_SLOTS).fill(-1);
  #starts = new Uint32Array(FIRST_SLOTS / 2);
  #hashes = new Int32Array(FIRST_SLOTS / 2);
  #counts = new Float64Array(FIRST_SLOTS / 2);
  #arena = new Uint8Array(FIRST_ARENA);
  #size = 0;
  #used = 0;
  #overflowed = false;

  constructor(limits: FrequencyLimits = { distinct: DISTINCT_MAX, arena: ARENA_MAX }) {
    this.#limits = limits;
  }

  /** Whether a limit was passed (F2). */
  get overflowed(): boolean {
    return this.#overflowed;
  }

  /** Distinct words held; 0 after an overflow. */
  get size(): number {
    return this.#size;
  }

  /** Count the word in the first `length` bytes of `word` once more. */
  add(word: Uint8Array, length: number): void {
    if (this.#overflowed) return;
    const hash = hashOf(word, length);
    const slot = this.#find(word, length, hash);
    const entry = this.#slots[slot]!;
    if (entry >= 0) {
      this.#counts[entry]! += 1;
      return;
    }
    if (this.#size >= this.#limits.distinct || this.#used + length > this.#limits.arena) {
      this.#release();
      return;
    }
    this.#insert(word, length, hash, slot);
  }

  /** Count the word once more if the table holds it already. */
  addHeld(word: Uint8Array, length: number): void {
    const entry = this.#slots[this.#find(word, length, hashOf(word, length))]!;
    if (entry >= 0) this.#counts[entry]! += 1;
  }

  /** The count of one word; 0 for a word not held. */
  count(word: Uint8Array): number {
    if (this.#overflowed) return 0;
    const entry = this.#slots[this.#find(word, word.length, hashOf(word, word.length))]!;
    return entry < 0 ? 0 : this.#counts[entry]!;
  }

  /** The `n` most frequent words, most frequent first (F3). O(size * n) at worst, O(size) in practice. */
  top(n: number): WordCount[] {
    const best: number[] = [];
    for (let entry = 0; entry < this.#size; entry++) {
      if (best.length === n && this.#compare(entry, best[n - 1]!) > 0) continue;
      let at = best.length;
      while (at > 0 && this.#compare(entry, best[at - 1]!) < 0) at--;
      best.splice(at, 0, entry);
      if (best.length > n) best.pop();
    }
    return best.map((entry) => wordCountOf(this.#bytes(entry), this.#counts[entry]!));
  }

  #bytes(entry: number): Uint8Array {
    const end = entry + 1 < this.#size ? this.#starts[entry + 1]! : this.#used;
    return this.#arena.subarray(this.#starts[entry]!, end);
  }

  /** Negative when entry `a` comes before entry `b`. */
  #compare(a: number, b: number): number {
    const byCount = this.#counts[b]! - this.#counts[a]!;
    return byCount !== 0 ? byCount : Buffer.compare(this.#bytes(a), this.#bytes(b));
  }

  #find(word: Uint8Array, length: number, hash: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot]!;
      if (entry < 0 || (this.#hashes[entry] === hash && this.#equals(entry, word, length))) return slot;
    }
  }

  #equals(entry: number, word: Uint8Array, length: number): boolean {
    const start = this.#starts[entry]!;
    const end = entry + 1 < this.#size ? this.#starts[entry + 1]! : this.#used;
    if (end - start !== length) return false;
    for (let i = 0; i < length; i++) if (this.#arena[start + i] !== word[i]) return false;
    return true;
  }

  #insert(word: Uint8Array, length: number, hash: number, slot: number): void {
    const entry = this.#size++;
    if (this.#used + length > this.#arena.length) this.#growArena(length);
    for (let i = 0; i < length; i++) this.#arena[this.#used + i] = word[i]!;
    this.#starts[entry] = this.#used;
    this.#hashes[entry] = hash;
    this.#counts[entry] = 1;
    this.#used += length;
    this.#slots[slot] = entry;
    if (this.#size * 2 >= this.#slots.length) this.#rehash();
  }

  /** By half, so that the old and the new arena together stay small. */
  #growArena(length: number): void {
    this.#arena = resized(this.#arena, Math.max(Math.ceil(this.#arena.length * 1.5), this.#used + length));
  }

  #rehash(): void {
    const capacity = this.#slots.length * 2;
    this.#slots = resized(this.#slots, capacity).fill(-1);
    for (let entry = 0; entry < this.#size; entry++) {
      let slot = this.#hashes[entry]! & (capacity - 1);
      while (this.#slots[slot]! >= 0) slot = (slot + 1) & (capacity - 1);
      this.#slots[slot] = entry;
    }
    // Half the slots are entries at most, so these hold until the next rehash.
    this.#starts = resized(this.#starts, capacity / 2);
    this.#hashes = resized(this.#hashes, capacity / 2);
    this.#counts = resized(this.#counts, capacity / 2);
  }

  #release(): void {
    this.#overflowed = true;
    this.#slots = resized(this.#slots, 1).fill(-1);
    this.#starts = resized(this.#starts, 0);
    this.#hashes = resized(this.#hashes, 0);
    this.#counts = resized(this.#counts, 0);
    this.#arena = resized(this.#arena, 0);
    this.#size = 0;
    this.#used = 0;
  }
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo), finished with a shift so that the low bits depend on all bytes. */
function hashOf(word: Uint8Array, length: number): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < length; i++) hash = Math.imul(hash ^ word[i]!, FNV_PRIME);
  return hash ^ (hash >>> 15);
}

/**
 * The same array with another length. Its old memory is given back at once: a buffer that becomes garbage stays for long,
 * and the sum of all earlier sizes is as much as the array itself.
 */
function resized<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(
  array: T,
  length: number,
): T {
  const create = array.constructor as new (buffer: ArrayBuffer) => T;
  return new create((array.buffer as ArrayBuffer).transfer(length * array.BYTES_PER_ELEMENT));
}
