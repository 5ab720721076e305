/**
 * The memory of a pool: a part of a buffer that the caller gives, or a buffer of its own.
 *
 * PM1. Everything a pool knows lies in this memory. Who attaches to it later, in another thread or after a sleep that retains memory, goes
 *      on where the last owner stopped. One owner at a time: nothing in it is atomic.
 * PM2. The first words say what lies there, so that attaching to something else is refused.
 */
import { BadOptionError } from "../errors.ts";
import { POOL_BYTES_MAX, whole } from "../limits.ts";

/** Where a pool lies. */
export interface PoolPlace {
  /** Memory for the pool; default: an `ArrayBuffer` of the size it needs. */
  readonly buffer?: ArrayBuffer | SharedArrayBuffer;
  /** Where in `buffer` the pool begins: a multiple of 8; default 0. */
  readonly byteOffset?: number;
}

/** The facts of a pool, as numbers that were true at the moment of asking. */
export interface PoolStatistics {
  /** Bytes that blocks can use. */
  readonly capacityBytes: number;
  /** Bytes in blocks that are allocated, with what the pool adds to each. */
  readonly usedBytes: number;
  /** The most that `usedBytes` ever was. */
  readonly peakBytes: number;
  /** Blocks that are allocated. */
  readonly blocks: number;
  /** Allocations that succeeded since the pool was made. */
  readonly allocations: number;
  /** Allocations that found no room. */
  readonly failures: number;
}

/** Each block and each pool begins at a multiple of so many bytes. */
export const ALIGNMENT = 8;

/** `bytes` rounded up to the alignment. */
export function aligned(bytes: number): number {
  return (bytes + ALIGNMENT - 1) & -ALIGNMENT;
}

/** What stands behind a block: it differs from block to block, and from memory that was never written. */
export function guardOf(offset: number): number {
  return offset ^ 0x5afec0de;
}

/** A word as a count from 0; with the word above it, a count of 64 bits, exact up to 2^53. */
export function unsigned(word: number, high = 0): number {
  return (high >>> 0) * 4_294_967_296 + (word >>> 0);
}

/** The words of a place with room for `bytes`. @throws {BadOptionError} */
export function wordsOf({ buffer, byteOffset = 0 }: PoolPlace, bytes: number): Int32Array {
  whole("the size of the pool in bytes", bytes, ALIGNMENT, POOL_BYTES_MAX);
  if (buffer === undefined) {
    if (byteOffset !== 0) throw new BadOptionError("byteOffset", byteOffset, "0 when no buffer is given");
    return new Int32Array(new ArrayBuffer(bytes));
  }
  whole("byteOffset", byteOffset, 0, POOL_BYTES_MAX);
  if (byteOffset % ALIGNMENT !== 0)
    throw new BadOptionError("byteOffset", byteOffset, `a multiple of ${ALIGNMENT}`);
  if (byteOffset + bytes > buffer.byteLength)
    throw new BadOptionError("buffer", `${buffer.byteLength} bytes long`, `at least ${byteOffset + bytes}`);
  return new Int32Array(buffer, byteOffset, bytes >>> 2);
}
