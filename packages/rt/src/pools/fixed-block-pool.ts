/**
 * Blocks of one size, from memory that is taken once.
 *
 * FB1. `alloc` and `free` take the same few steps however full the pool is, and neither makes an object.
 * FB2. A block is free or allocated, never both and never twice: freeing a free block, or an offset that is no block, is refused and
 *      changes nothing. A block is known by its state, a function of its place: only who copies one into the middle of a block is believed.
 * FB3. Behind every block stands a guard word. `free` and `check` tell when something wrote over it.
 *
 * Memory: `magic, block bytes, blocks, first free, allocations (low, high), failures, peak, 0`, then per block its state (the next free
 * block, 0 for the last, or that it is taken), its bytes and its guard. State and guard of neighbours share 8 bytes, so that blocks begin at multiples
 * of 8. Blocks are named by the word at which they begin.
 */
import {
  BadBlockError,
  BadOptionError,
  DoubleFreeError,
  OverflowError,
  PoolExhaustedError,
} from "../errors.ts";
import { POOL_BYTES_MAX, whole } from "../limits.ts";
import { aligned, guardOf, type PoolPlace, type PoolStatistics, unsigned, wordsOf } from "./pool-memory.ts";

const MAGIC = 0x31424647; // "GFB1"
const BLOCK_BYTES = 1;
const BLOCKS = 2;
const FREE = 3;
const ALLOCATIONS = 4;
const ALLOCATIONS_HIGH = 5;
const FAILURES = 6;
const PEAK = 7;
/** The state of the first block is the last word of the header. */
const FIRST = 10;
const HEADER_BYTES = 4 * FIRST;
/** The state of an allocated block, exclusive or its name: negative, so never the name of a free one. */
const TAKEN = ~0x2545_f491;
/** 2^24. */
const BLOCKS_MAX = 16_777_216;
const NAME = "fixed-block";

/** The form of a pool of blocks. */
export interface FixedBlockPoolOptions extends PoolPlace {
  /** Bytes of one block: 1 to 2^30. */
  readonly blockBytes: number;
  /** How many blocks: 1 to 2^24. */
  readonly blocks: number;
}

/** A pool of blocks of one size. One owner at a time. */
export class FixedBlockPool {
  /** Where the pool lies; offsets count from the beginning of this buffer. */
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  readonly blockBytes: number;
  readonly blocks: number;
  readonly #words: Int32Array;
  /** Byte offset of the pool and of its first block in `buffer`. */
  readonly #origin: number;
  readonly #first: number;
  /** The distance between two blocks, in bytes, and one over it. */
  readonly #stride: number;
  readonly #inverse: number;
  /** Words from the beginning of a block to its guard. */
  readonly #guard: number;

  /** Bytes that such a pool takes. @throws {BadOptionError} */
  static bytesFor(blockBytes: number, blocks: number): number {
    whole("blockBytes", blockBytes, 1, POOL_BYTES_MAX);
    whole("blocks", blocks, 1, BLOCKS_MAX);
    return HEADER_BYTES + blocks * strideOf(blockBytes);
  }

  /** Go on with a pool that lies at this place (PM1). @throws {BadOptionError} when there is none */
  static attach(buffer: ArrayBuffer | SharedArrayBuffer, byteOffset = 0): FixedBlockPool {
    const words = wordsOf({ buffer, byteOffset }, HEADER_BYTES);
    if (words[0] !== MAGIC)
      throw new BadOptionError("buffer", "without a pool at that offset", `a ${NAME} pool`);
    const [blockBytes, blocks] = [words[BLOCK_BYTES] as number, words[BLOCKS] as number];
    return new FixedBlockPool({ buffer, byteOffset, blockBytes, blocks }, true);
  }

  /** `there`: the memory holds a pool already; used by `attach`. @throws {BadOptionError} */
  constructor(options: FixedBlockPoolOptions, there = false) {
    const { blockBytes, blocks, byteOffset = 0 } = options;
    this.#words = wordsOf(options, FixedBlockPool.bytesFor(blockBytes, blocks));
    this.buffer = this.#words.buffer as ArrayBuffer | SharedArrayBuffer;
    this.blockBytes = blockBytes;
    this.blocks = blocks;
    this.#origin = byteOffset;
    this.#first = byteOffset + HEADER_BYTES;
    this.#stride = strideOf(blockBytes);
    this.#inverse = 1 / this.#stride;
    this.#guard = guardWord(blockBytes);
    if (!there) this.#format();
  }

  /** The byte offset of a block in `buffer`, or -1 when none is left. O(1), no garbage. */
  tryAlloc(): number {
    const words = this.#words;
    let block = words[FREE] as number;
    if (block !== 0) words[FREE] = words[block - 1] as number;
    else {
      // A block that nobody had yet: taken only when no other is free, so that the number of such blocks is the peak.
      const peak = words[PEAK] as number;
      if (peak === this.blocks) {
        words[FAILURES] = (words[FAILURES] as number) + 1;
        return -1;
      }
      words[PEAK] = peak + 1;
      block = FIRST + peak * (this.#stride >> 2);
    }
    words[block - 1] = TAKEN ^ block;
    const allocations = ((words[ALLOCATIONS] as number) + 1) | 0;
    words[ALLOCATIONS] = allocations;
    if (allocations === 0) words[ALLOCATIONS_HIGH] = (words[ALLOCATIONS_HIGH] as number) + 1;
    return this.#origin + (block << 2);
  }

  /** As {@link tryAlloc}. Contents are what the last owner left. @throws {PoolExhaustedError} */
  alloc(): number {
    const offset = this.tryAlloc();
    if (offset < 0) this.#exhausted();
    return offset;
  }

  /** Give a block back. O(1), no garbage. @throws {BadBlockError} {DoubleFreeError} {OverflowError} and changes nothing */
  free(offset: number): void {
    const words = this.#words;
    const block = (offset - this.#origin) >> 2;
    if (words[block - 1] !== (TAKEN ^ block) || (block << 2) + this.#origin !== offset)
      throw this.#refusal(offset);
    if (words[block + this.#guard] !== guardOf(block)) throw new OverflowError(NAME, offset);
    words[block - 1] = words[FREE] as number;
    words[FREE] = block;
  }

  /** Whether the block at `offset` is allocated. @throws {BadBlockError} */
  isAllocated(offset: number): boolean {
    const block = this.#blockAt(offset);
    return this.#words[block - 1] === (TAKEN ^ block);
  }

  /** Look at the guards of all blocks, free ones too. O(blocks). @throws {OverflowError} for the first that is damaged */
  check(): void {
    for (let i = 0, block = FIRST; i < this.blocks; i++, block += this.#stride >> 2)
      if (this.#words[block + this.#guard] !== guardOf(block))
        throw new OverflowError(NAME, this.#origin + 4 * block);
  }

  /** How full the pool is. O(blocks); makes an object: not for hot loops. */
  statistics(): PoolStatistics {
    const words = this.#words;
    let blocks = 0;
    for (let i = 0, block = FIRST; i < (words[PEAK] as number); i++, block += this.#stride >> 2)
      if (words[block - 1] === (TAKEN ^ block)) blocks++;
    return {
      capacityBytes: this.blocks * this.blockBytes,
      usedBytes: blocks * this.blockBytes,
      peakBytes: (words[PEAK] as number) * this.blockBytes,
      blocks,
      allocations: unsigned(words[ALLOCATIONS] as number, words[ALLOCATIONS_HIGH]),
      failures: unsigned(words[FAILURES] as number),
    };
  }

  /** Why an offset whose state is not that of an allocated block is refused. @throws {BadBlockError} */
  #refusal(offset: number): DoubleFreeError {
    this.#blockAt(offset);
    return new DoubleFreeError(NAME, offset);
  }

  #exhausted(): never {
    const { usedBytes, capacityBytes } = this.statistics();
    throw new PoolExhaustedError(NAME, this.blockBytes, usedBytes, capacityBytes);
  }

  /** The block that begins at an offset. Half a byte more than the distance, so that rounding never ends below the whole number. */
  #blockAt(offset: number): number {
    const distance = offset - this.#first;
    const index = ((distance + 0.5) * this.#inverse) | 0;
    if (!(distance >= 0 && index < this.blocks && index * this.#stride === distance))
      throw new BadBlockError(NAME, offset);
    return FIRST + (distance >> 2);
  }

  #format(): void {
    const words = this.#words;
    words.fill(0, 0, FIRST);
    words[0] = MAGIC;
    words[BLOCK_BYTES] = this.blockBytes;
    words[BLOCKS] = this.blocks;
    for (let i = 0, block = FIRST; i < this.blocks; i++, block += this.#stride >> 2) {
      words[block - 1] = 0;
      words[block + this.#guard] = guardOf(block);
    }
  }
}

/** Words from the beginning of a block to its guard: at most 3 bytes lie between. */
function guardWord(blockBytes: number): number {
  return (blockBytes + 3) >> 2;
}

/** A block, its guard and the state of the next one. */
function strideOf(blockBytes: number): number {
  return aligned(4 * guardWord(blockBytes) + 8);
}
