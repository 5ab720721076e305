/**
 * Blocks of any size in constant time: two-level segregated fit.
 *
 * M. Masmano, I. Ripoll, A. Crespo, J. Real: "TLSF: a New Dynamic Memory Allocator for Real-Time Systems", ECRTS 2004. Free blocks are kept
 * in lists by size: a class per power of two (first level), each cut into 16 (second level). Words of bits say which lists have a block, so
 * that a fitting list is found by counting zeros. Neighbours that are free are joined at once.
 *
 * VP1. `alloc` and `free` take a bounded number of steps, whatever was allocated before, and make no object.
 * VP2. An allocation fails only if no free block is as large as the size rounded up to the next list: less than 1/16 more than it takes.
 * VP3. When all is freed the pool is one block again, of the size it began with.
 * VP4. Behind what was asked for stands a guard word that is a function of the place; `free` takes it away. So what is no block, was freed,
 *      or was overrun is refused, and nothing changes.
 *
 * Memory, in words: `magic, bytes, 0, 0`, counters, the two levels of bits, the heads of the lists, then the blocks between two empty ones that
 * are never free. A block begins with its tag, `size | free`, and the block before it; a free one goes on with the next and the previous one of
 * its list. Blocks are named by the word at which they begin, 0 is none, and sizes are in words, always even.
 */
import {
  BadBlockError,
  BadOptionError,
  DoubleFreeError,
  OverflowError,
  PoolExhaustedError,
  TooLargeError,
} from "../errors.ts";
import { POOL_BYTES_MAX, whole } from "../limits.ts";
import { ALIGNMENT, guardOf, type PoolPlace, type PoolStatistics, unsigned, wordsOf } from "./pool-memory.ts";

const MAGIC = 0x31505647; // "GVP1"
const BYTES = 1;
const USED = 4;
const PEAK = 5;
const ALLOCATIONS = 6;
const ALLOCATIONS_HIGH = 7;
const FAILURES = 8;
const FIRST_LEVEL = 10;
const SECOND_LEVEL = 12;
/** First-level classes: the last has blocks of 2^27 words. */
const CLASSES = 28;
const HEADS = SECOND_LEVEL + CLASSES;
const SPLIT = 16;
/** The empty block before the first one. */
const BEFORE = HEADS + CLASSES * SPLIT;
const FIRST = BEFORE + 2;
const NEXT = 2;
const PREVIOUS = 3;
const LEAST_WORDS = 4;
const IS_FREE = 1;
/** Tag and guard. */
const EXTRA_BYTES = 12;
const NAME = "variable";

/** The form of a variable pool. */
export interface VariablePoolOptions extends PoolPlace {
  /** Bytes for blocks, with the 12 bytes that each takes besides and what rounding to 8 adds: a multiple of 8 from 32 to 2^29. */
  readonly bytes: number;
}

/** What can be known of the free blocks. */
export interface VariablePoolStatistics extends PoolStatistics {
  /** The largest block that an allocation could be cut from, in bytes, without its 12. */
  readonly largestFreeBytes: number;
  readonly freeBlocks: number;
}

/** A pool of blocks of any size. One owner at a time. */
export class VariablePool {
  /** Where the pool lies; offsets count from the beginning of this buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly bytes: number;
  /** The most that one allocation can have while the pool is empty. */
  readonly mostBytes: number;
  readonly #words: Int32Array;
  /** Byte offset in `buffer` of the contents of block 0, if there were one. */
  readonly #contents: number;
  /** The empty block after the last one. */
  readonly #end: number;

  /** Bytes that such a pool takes. @throws {BadOptionError} */
  static bytesFor(bytes: number): number {
    whole("bytes", bytes, 2 * 4 * LEAST_WORDS, POOL_BYTES_MAX / 2);
    if (bytes % ALIGNMENT !== 0) throw new BadOptionError("bytes", bytes, `a multiple of ${ALIGNMENT}`);
    return 4 * (FIRST + 2) + bytes;
  }

  /** Go on with a pool that lies at this place. @throws {BadOptionError} when there is none */
  static attach(buffer: ArrayBuffer | SharedArrayBuffer, byteOffset = 0): VariablePool {
    const words = wordsOf({ buffer, byteOffset }, 4 * FIRST);
    if (words[0] !== MAGIC)
      throw new BadOptionError("buffer", "without a pool at that offset", `a ${NAME} pool`);
    return new VariablePool({ buffer, byteOffset, bytes: words[BYTES] as number }, true);
  }

  /** `there`: the memory holds a pool already; used by `attach`. @throws {BadOptionError} */
  constructor(options: VariablePoolOptions, there = false) {
    const { bytes, byteOffset = 0 } = options;
    this.#words = wordsOf(options, VariablePool.bytesFor(bytes));
    this.buffer = this.#words.buffer as ArrayBuffer | SharedArrayBuffer;
    this.bytes = bytes;
    this.mostBytes = bytes - EXTRA_BYTES;
    this.#contents = byteOffset + 8;
    this.#end = FIRST + (bytes >> 2);
    if (!there) this.#format();
  }

  /** The byte offset in `buffer` of `bytes` bytes (1 or more), at a multiple of 8, or -1 when no free block fits. O(1), no garbage. */
  tryAlloc(bytes: number): number {
    const words = this.#words;
    let size = bytes >= 1 && bytes <= this.mostBytes ? sizeFor(bytes) : 1 << 28;
    // From the next list on, so that its first block is taken without looking (VP2).
    let list = listOf(size + (((1 << (31 - Math.clz32(size))) - 1) >> 4));
    let level = list >> 4;
    let lists = (words[SECOND_LEVEL + level] as number) & (-1 << (list & 15));
    if (lists === 0) {
      const above = (words[FIRST_LEVEL] as number) & (-2 << level);
      if (above === 0) {
        words[FAILURES] = (words[FAILURES] as number) + 1;
        return -1;
      }
      level = 31 - Math.clz32(above & -above);
      lists = words[SECOND_LEVEL + level] as number;
    }
    list = (level << 4) + 31 - Math.clz32(lists & -lists);
    const block = words[HEADS + list] as number;
    const next = words[block + NEXT] as number;
    words[HEADS + list] = next;
    words[next + PREVIOUS] = HEADS + list - NEXT;
    noteFirst(words, list, next);
    const rest = (words[block] as number) - IS_FREE - size;
    if (rest >= LEAST_WORDS) {
      words[block + size + 1] = block;
      link(words, block + size, rest);
    } else size += rest;
    words[block] = size;
    words[block + size - 1] = guardOf(block);
    const used = (words[USED] as number) + size;
    words[USED] = used;
    if (used > (words[PEAK] as number)) words[PEAK] = used;
    const allocations = ((words[ALLOCATIONS] as number) + 1) | 0;
    words[ALLOCATIONS] = allocations;
    if (allocations === 0) words[ALLOCATIONS_HIGH] = (words[ALLOCATIONS_HIGH] as number) + 1;
    return this.#contents + (block << 2);
  }

  /** As {@link tryAlloc}. Contents are what the last owner left. @throws {PoolExhaustedError} {TooLargeError} {BadOptionError} */
  alloc(bytes: number): number {
    whole("bytes", bytes, 1, POOL_BYTES_MAX);
    if (bytes > this.mostBytes) throw new TooLargeError(NAME, bytes, this.mostBytes);
    const offset = this.tryAlloc(bytes);
    if (offset < 0) throw new PoolExhaustedError(NAME, bytes, 4 * (this.#words[USED] as number), this.bytes);
    return offset;
  }

  /** Give a block back. O(1), no garbage. @throws {BadBlockError} {DoubleFreeError} {OverflowError} and changes nothing */
  free(offset: number): void {
    const words = this.#words;
    let block = (offset - this.#contents) >> 2;
    let size = this.#intact(block, offset);
    words[block + size - 1] = 0;
    words[USED] = (words[USED] as number) - size;
    const after = block + size;
    const tagAfter = words[after] as number;
    if ((tagAfter & IS_FREE) !== 0) {
      const next = words[after + NEXT] as number;
      const previous = words[after + PREVIOUS] as number;
      words[next + PREVIOUS] = previous;
      words[previous + NEXT] = next;
      size += tagAfter - IS_FREE;
      const list = listOf(tagAfter - IS_FREE);
      noteFirst(words, list, words[HEADS + list] as number);
    }
    const before = words[block + 1] as number;
    const tagBefore = words[before] as number;
    if ((tagBefore & IS_FREE) !== 0) {
      const next = words[before + NEXT] as number;
      const previous = words[before + PREVIOUS] as number;
      words[next + PREVIOUS] = previous;
      words[previous + NEXT] = next;
      block = before;
      size += tagBefore - IS_FREE;
      const list = listOf(tagBefore - IS_FREE);
      noteFirst(words, list, words[HEADS + list] as number);
    }
    link(words, block, size);
  }

  /** Bytes that the block at `offset` has room for: what was asked, rounded up. @throws as `free` does */
  sizeOf(offset: number): number {
    return 4 * this.#intact((offset - this.#contents) >> 2, offset) - EXTRA_BYTES;
  }

  /** Look at every block and guard. O(blocks). @throws {OverflowError} for the first that is damaged */
  check(): void {
    const words = this.#words;
    let before = BEFORE;
    for (let block = FIRST; block < this.#end; ) {
      const size = (words[block] as number) & ~IS_FREE;
      const fits = size >= LEAST_WORDS && size <= this.#end - block;
      if (!fits || words[block + 1] !== before) throw this.#overrun(before === BEFORE ? block : before);
      if (words[block] === size && words[block + size - 1] !== guardOf(block)) throw this.#overrun(block);
      before = block;
      block += size;
    }
  }

  /** How full the pool is. O(blocks); makes an object: not for hot loops. @throws {OverflowError} when tags were overwritten */
  statistics(): VariablePoolStatistics {
    const words = this.#words;
    let [largest, freeBlocks, blocks] = [0, 0, 0];
    for (let block = FIRST; block < this.#end; ) {
      const tag = words[block] as number;
      const size = tag & ~IS_FREE;
      if (size < LEAST_WORDS) throw this.#overrun(block);
      if (tag !== size) {
        freeBlocks++;
        largest = Math.max(largest, size);
      } else blocks++;
      block += size;
    }
    const allocations = words[ALLOCATIONS] as number;
    return {
      capacityBytes: this.bytes,
      usedBytes: 4 * (words[USED] as number),
      peakBytes: 4 * (words[PEAK] as number),
      blocks,
      allocations: unsigned(allocations, words[ALLOCATIONS_HIGH]),
      failures: unsigned(words[FAILURES] as number),
      largestFreeBytes: Math.max(0, 4 * largest - EXTRA_BYTES),
      freeBlocks,
    };
  }

  /** The size of the allocated block that begins here (VP4). */
  #intact(block: number, offset: number): number {
    const words = this.#words;
    // Compared with the offset again: fractions, and numbers that are too large, do not come back.
    const inside = block >= FIRST && block < this.#end && (block << 2) + this.#contents === offset;
    const size = inside ? (words[block] as number) : 0;
    const guard = block + size - 1;
    const sound =
      size >= LEAST_WORDS &&
      guard < this.#end &&
      words[guard] === guardOf(block) &&
      words[guard + 2] === block;
    if (!sound) throw this.#refusal(block, offset);
    return size;
  }

  /** Why an offset is refused. Walks the blocks: only what is wrong already takes this long. */
  #refusal(wanted: number, offset: number): BadBlockError | DoubleFreeError | OverflowError {
    const words = this.#words;
    if (!(offset >= this.#contents) || (wanted << 2) + this.#contents !== offset)
      return new BadBlockError(NAME, offset);
    for (let block = FIRST; block <= wanted && block < this.#end; ) {
      const tag = words[block] as number;
      const size = tag & ~IS_FREE;
      if (size < LEAST_WORDS || size > this.#end - block) return this.#overrun(block);
      if (block === wanted) return tag === size ? this.#overrun(block) : new DoubleFreeError(NAME, offset);
      block += size;
    }
    return new BadBlockError(NAME, offset);
  }

  #overrun(block: number): OverflowError {
    return new OverflowError(NAME, this.#contents + 4 * block);
  }

  #format(): void {
    const words = this.#words;
    words.fill(0, 0, FIRST);
    words[0] = MAGIC;
    words[BYTES] = this.bytes;
    words[this.#end] = 0;
    words[FIRST + 1] = BEFORE;
    link(words, FIRST, this.bytes >> 2);
  }
}

/** Words that a block takes that has room for `bytes`. */
function sizeFor(bytes: number): number {
  const size = ((bytes + EXTRA_BYTES + ALIGNMENT - 1) >> 3) << 1;
  return Math.max(size, LEAST_WORDS);
}

/** The list for free blocks of `size`: the number of its highest bit times 16 plus the four bits below that. */
function listOf(size: number): number {
  const bits = 31 - Math.clz32(size);
  return (bits << 4) + (((size << 4) >>> bits) & 15);
}

/**
 * Put a free block into the list of its size, and tell the block behind it where it begins. What comes before the first block of a list is the
 * place whose `NEXT` is the list's head, and what comes after the last one is block 0, whose words nobody reads: no case needs a branch.
 */
function link(words: Int32Array, block: number, size: number): void {
  const list = listOf(size);
  const head = words[HEADS + list] as number;
  words[block] = size | IS_FREE;
  words[block + NEXT] = head;
  words[block + PREVIOUS] = HEADS + list - NEXT;
  words[head + PREVIOUS] = block;
  words[HEADS + list] = block;
  words[block + size + 1] = block;
  const level = list >> 4;
  words[FIRST_LEVEL] = (words[FIRST_LEVEL] as number) | (1 << level);
  words[SECOND_LEVEL + level] = (words[SECOND_LEVEL + level] as number) | (1 << (list & 15));
}

/**
 * `first` is the first block of a list now: if it is 0, the list has no block any more. Whether it has is as good as random, so a branch would be
 * guessed wrong half of the time, and two of them cost more than both stores.
 */
function noteFirst(words: Int32Array, list: number, first: number): void {
  const level = list >> 4;
  const left = (words[SECOND_LEVEL + level] as number) & ~(isNone(first) << (list & 15));
  words[SECOND_LEVEL + level] = left;
  words[FIRST_LEVEL] = (words[FIRST_LEVEL] as number) & ~(isNone(left) << level);
}

/** 1 for 0 and 0 for every other number, without a branch. */
function isNone(word: number): number {
  return ((word | -word) >>> 31) ^ 1;
}
