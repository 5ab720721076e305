/**
 * The pool of message blocks: fixed blocks in static memory, with the rules of `FixedBlockPool` (FB1 to FB3). A block is named by its address.
 *
 * Per block: its state (the next free block, 0 for the last, or TAKEN), its bytes, its guard.
 */
import { Refusal } from "./device";

/** Bytes of a block. */
export const BLOCK_BYTES: usize = 16;
/** How many there are. */
export const BLOCKS: i32 = 128;

const TAKEN: u32 = 0xffffffff;
const GUARD: u32 = 0x5afec0de;
const STRIDE: usize = BLOCK_BYTES + 8;
const area: usize = memory.data(3072, 8);
let free: usize = 0;
let used: i32 = 0;
let peak: i32 = 0;

/** Make every block free. */
export function resetPool(): void {
  free = 0;
  used = 0;
  peak = 0;
  for (let i = BLOCKS - 1; i >= 0; i--) {
    const block = area + <usize>i * STRIDE + 4;
    store<u32>(block - 4, <u32>free);
    store<u32>(block + BLOCK_BYTES, GUARD ^ <u32>block);
    free = block;
  }
}

/** A block, or 0 when none is left. */
export function allocate(): usize {
  const block = free;
  if (block == 0) return 0;
  free = load<u32>(block - 4);
  store<u32>(block - 4, TAKEN);
  used++;
  if (used > peak) peak = used;
  return block;
}

/** Give a block back: 0, or why not. */
export function release(block: usize): i32 {
  const distance = block - area - 4;
  if (block < area + 4 || distance >= STRIDE * <usize>BLOCKS || distance % STRIDE != 0) return Refusal.NONE;
  if (load<u32>(block - 4) != TAKEN) return Refusal.FREED;
  if (load<u32>(block + BLOCK_BYTES) != (GUARD ^ <u32>block)) return Refusal.OVERRUN;
  store<u32>(block - 4, <u32>free);
  free = block;
  used--;
  return 0;
}

/** Blocks that are taken now. */
export function blocksUsed(): i32 {
  return used;
}

/** The most that were taken at once. */
export function blocksPeak(): i32 {
  return peak;
}
