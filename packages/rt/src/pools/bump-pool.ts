/**
 * Memory that is handed out front to back and taken back all at once.
 *
 * BP1. `alloc`, `mark` and `reset` take the same few steps whatever was handed out, and make no object.
 * BP2. What was handed out before a mark survives a reset to that mark. A mark that was itself taken back is refused.
 * BP3. Behind every block stands a guard. `reset` looks at the last one, `check` at all of them.
 *
 * Memory: `magic, bytes, top, last guard, peak, blocks, marks, serial, allocations (low, high), failures, 0`, 16 marks of four words (`top, last guard,
 * blocks, id`), then the blocks. A guard is two words: the magic of its place and where the guard before it stands.
 */
import {
  BadBlockError,
  BadOptionError,
  OverflowError,
  PoolExhaustedError,
  TooLargeError,
} from "../errors.ts";
import { POOL_BYTES_MAX, whole } from "../limits.ts";
import {
  ALIGNMENT,
  aligned,
  guardOf,
  type PoolPlace,
  type PoolStatistics,
  unsigned,
  wordsOf,
} from "./pool-memory.ts";

const MAGIC = 0x31504247; // "GBP1"
const BYTES = 1;
const TOP = 2;
const LAST = 3;
const PEAK = 4;
const LIVE = 5;
const MARKS = 6;
const SERIAL = 7;
const ALLOCATIONS = 8;
const ALLOCATIONS_HIGH = 9;
const FAILURES = 10;
const MARK_WORDS_AT = 12;
const MARK_WORDS = 4;
/** Marks that may stand at once. */
export const BUMP_MARKS_MAX = 16;
const HEADER_BYTES = 4 * (MARK_WORDS_AT + BUMP_MARKS_MAX * MARK_WORDS);
const GUARD_BYTES = 8;
const NAME = "bump";

/** The form of a bump pool. */
export interface BumpPoolOptions extends PoolPlace {
  /** Bytes for blocks and their guards (8 bytes each): a multiple of 8 from 16 to 2^29. */
  readonly bytes: number;
}

/** A pool that is emptied at once. One owner at a time. */
export class BumpPool {
  /** Where the pool lies; offsets count from the beginning of this buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly bytes: number;
  readonly #words: Int32Array;
  /** Byte offset of the pool in `buffer`. */
  readonly #origin: number;

  /** Go on with a pool that lies at this place. @throws {BadOptionError} when there is none */
  static attach(buffer: ArrayBuffer | SharedArrayBuffer, byteOffset = 0): BumpPool {
    const words = wordsOf({ buffer, byteOffset }, HEADER_BYTES);
    if (words[0] !== MAGIC)
      throw new BadOptionError("buffer", "without a pool at that offset", `a ${NAME} pool`);
    return new BumpPool({ buffer, byteOffset, bytes: words[BYTES] as number }, true);
  }

  /** `there`: the memory holds a pool already; used by `attach`. @throws {BadOptionError} */
  constructor(options: BumpPoolOptions, there = false) {
    const { bytes, byteOffset = 0 } = options;
    whole("bytes", bytes, 2 * ALIGNMENT, POOL_BYTES_MAX / 2);
    if (bytes % ALIGNMENT !== 0) throw new BadOptionError("bytes", bytes, `a multiple of ${ALIGNMENT}`);
    this.#words = wordsOf(options, HEADER_BYTES + bytes);
    this.buffer = this.#words.buffer as ArrayBuffer | SharedArrayBuffer;
    this.bytes = bytes;
    this.#origin = byteOffset;
    if (there) return;
    this.#words.fill(0, 0, HEADER_BYTES >> 2);
    this.#words[0] = MAGIC;
    this.#words[BYTES] = bytes;
    this.#words[TOP] = HEADER_BYTES;
    this.#words[PEAK] = HEADER_BYTES;
  }

  /** The byte offset in `buffer` of `bytes` bytes (1 or more), or -1 when there is no room. O(1), no garbage. */
  tryAlloc(bytes: number): number {
    const words = this.#words;
    const top = words[TOP] as number;
    const guard = top + aligned(bytes);
    const end = guard + GUARD_BYTES;
    if (!(bytes >= 1 && bytes <= this.bytes && end <= HEADER_BYTES + this.bytes)) {
      words[FAILURES] = (words[FAILURES] as number) + 1;
      return -1;
    }
    words[guard >> 2] = guardOf(guard);
    words[(guard >> 2) + 1] = words[LAST] as number;
    words[LAST] = guard;
    words[TOP] = end;
    words[LIVE] = (words[LIVE] as number) + 1;
    if (end > (words[PEAK] as number)) words[PEAK] = end;
    const allocations = ((words[ALLOCATIONS] as number) + 1) | 0;
    words[ALLOCATIONS] = allocations;
    if (allocations === 0) words[ALLOCATIONS_HIGH] = (words[ALLOCATIONS_HIGH] as number) + 1;
    return this.#origin + top;
  }

  /** As {@link tryAlloc}. @throws {PoolExhaustedError} {TooLargeError} {BadOptionError} */
  alloc(bytes: number): number {
    whole("bytes", bytes, 1, POOL_BYTES_MAX);
    if (bytes > this.bytes - GUARD_BYTES) throw new TooLargeError(NAME, bytes, this.bytes - GUARD_BYTES);
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw new PoolExhaustedError(NAME, bytes, this.statistics().usedBytes, this.bytes);
    return offset;
  }

  /** Where the pool stands now, to reset to later. O(1). @throws {PoolExhaustedError} when 16 marks stand */
  mark(): number {
    const words = this.#words;
    const depth = words[MARKS] as number;
    if (depth === BUMP_MARKS_MAX)
      throw new PoolExhaustedError(`${NAME} marks`, 1, BUMP_MARKS_MAX, BUMP_MARKS_MAX);
    const at = MARK_WORDS_AT + depth * MARK_WORDS;
    const serial = ((words[SERIAL] as number) + 1) & 0x3ff_ffff;
    const id = serial * BUMP_MARKS_MAX + depth;
    words[SERIAL] = serial;
    words[at] = words[TOP] as number;
    words[at + 1] = words[LAST] as number;
    words[at + 2] = words[LIVE] as number;
    words[at + 3] = id;
    words[MARKS] = depth + 1;
    return id;
  }

  /**
   * Take back everything, or what was handed out since a mark, and the marks made since. The mark itself goes on standing. O(1), no garbage.
   * @throws {BadBlockError} for a mark that does not stand, {OverflowError} when the last block was overrun; nothing is taken back
   */
  reset(mark?: number): void {
    const words = this.#words;
    if (mark !== undefined) this.#standing(mark);
    const last = words[LAST] as number;
    if (last !== 0) this.#before(last);
    const depth = mark === undefined ? -1 : mark % BUMP_MARKS_MAX;
    const at = MARK_WORDS_AT + depth * MARK_WORDS;
    words[TOP] = depth < 0 ? HEADER_BYTES : (words[at] as number);
    words[LAST] = depth < 0 ? 0 : (words[at + 1] as number);
    words[LIVE] = depth < 0 ? 0 : (words[at + 2] as number);
    words[MARKS] = depth + 1;
  }

  /** Look at the guards of all blocks. O(blocks). @throws {OverflowError} for the last that is damaged */
  check(): void {
    let guard = this.#words[LAST] as number;
    while (guard !== 0) guard = this.#before(guard);
  }

  /** How full the pool is. Makes an object: not for hot loops. */
  statistics(): PoolStatistics {
    const words = this.#words;
    return {
      capacityBytes: this.bytes,
      usedBytes: (words[TOP] as number) - HEADER_BYTES,
      peakBytes: (words[PEAK] as number) - HEADER_BYTES,
      blocks: words[LIVE] as number,
      allocations: unsigned(words[ALLOCATIONS] as number, words[ALLOCATIONS_HIGH]),
      failures: unsigned(words[FAILURES] as number),
    };
  }

  #standing(mark: number): void {
    const depth = mark % BUMP_MARKS_MAX;
    const stands =
      Number.isSafeInteger(mark) &&
      mark > 0 &&
      depth < (this.#words[MARKS] as number) &&
      this.#words[MARK_WORDS_AT + depth * MARK_WORDS + 3] === mark;
    if (!stands) throw new BadBlockError(`${NAME} marks`, mark);
  }

  /** Where the guard before the one at `guard` stands; 0 for the first. @throws {OverflowError} */
  #before(guard: number): number {
    const before = this.#words[(guard >> 2) + 1] as number;
    const intact = this.#words[guard >> 2] === guardOf(guard) && before >= 0 && before < guard;
    if (!intact) throw new OverflowError(NAME, this.#origin + guard);
    return before;
  }
}
