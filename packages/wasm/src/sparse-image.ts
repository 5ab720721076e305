/**
 * What a memory holds, as the stretches of it that are not zero: for putting many memories into one state.
 *
 * SI1. After {@link SparseImage.fill} a target equals the memory the image was taken of, followed by zeros, whatever it held before.
 * SI2. Filling costs a copy of the stretches, and one look at the rest: a block of zeros is read and not written.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import { isZeroPage } from "./sparse-copy.ts";

/** The rest of a memory is looked at in pieces of this size. */
const BLOCK_BYTES = 65_536;

interface Stretch {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** See the banner. */
export class SparseImage {
  readonly #stretches: readonly Stretch[];

  private constructor(stretches: readonly Stretch[]) {
    this.#stretches = stretches;
  }

  /** Of a memory that goes on to change: what is not zero is copied. */
  static copyOf(memory: Uint8Array): SparseImage {
    return new SparseImage(stretchesOf(memory).map(({ at, bytes }) => ({ at, bytes: bytes.slice() })));
  }

  /** Of a memory that does not change any more: it is kept as it is. */
  static of(memory: Uint8Array): SparseImage {
    return new SparseImage(stretchesOf(memory));
  }

  /** Make `target` equal to what the image was taken of, as far as it reaches (SI1). */
  fill(target: Uint8Array): void {
    let from = 0;
    for (const { at, bytes } of this.#stretches) {
      if (at >= target.length) break;
      clear(target.subarray(from, at));
      from = Math.min(at + bytes.length, target.length);
      target.set(bytes.subarray(0, from - at), at);
    }
    clear(target.subarray(from));
  }
}

/** Zeros everywhere (SI2). */
export function clear(memory: Uint8Array): void {
  for (let at = 0; at < memory.length; at += BLOCK_BYTES) {
    const block = memory.subarray(at, at + BLOCK_BYTES);
    if (!isZeroPage(block)) block.fill(0);
  }
}

/** Runs of pages that are not zero. */
function stretchesOf(memory: Uint8Array): Stretch[] {
  const stretches: Stretch[] = [];
  let start = -1;
  for (let at = 0; at < memory.length; at += SNAPSHOT_PAGE_BYTES) {
    const written = !isZeroPage(memory.subarray(at, at + SNAPSHOT_PAGE_BYTES));
    if (written && start < 0) start = at;
    if (!written && start >= 0) {
      stretches.push({ at: start, bytes: memory.subarray(start, at) });
      start = -1;
    }
  }
  if (start >= 0) stretches.push({ at: start, bytes: memory.subarray(start) });
  return stretches;
}
