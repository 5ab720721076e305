/**
 * The bytes of a pre-copy: a guest's memory in rounds while it runs, then what changed last and the rest of its state
 * (docs/spec/precopy.md). Integers are little-endian.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";

/** "GLPC". */
export const PRECOPY_MAGIC: readonly number[] = [0x47, 0x4c, 0x50, 0x43];
export const PRECOPY_VERSION = 1;
/** Magic, version, length of the header. */
export const PREFIX_BYTES = 9;
export const MOST_HEADER_BYTES = 4096;

/** First byte of each part. */
export const PART = { pages: 1, round: 2, end: 3, last: 4, registers: 5 } as const;

/** Kind, round number, pages of 64 KiB. */
export const ROUND_BYTES = 9;
/** Kind, three zeros, block, length of the payload, pages in it, pages that are zeros now. */
export const FRAME_HEAD_BYTES = 76;
/** Pages of one frame: a block of 1 MiB. */
export const FRAME_PAGES = 256;
export const FRAME_BYTES: number = FRAME_PAGES * SNAPSHOT_PAGE_BYTES;
export const BITMAP_BYTES: number = FRAME_PAGES / 8;
/** Kind, length. */
export const REGISTERS_HEAD_BYTES = 5;
/** Most bytes of everything but memory: frames of suspended calls, globals, what host modules keep. */
export const MOST_REGISTER_BYTES: number = 64 * 1024 * 1024;
export const DIGEST_BYTES = 32;
/** Most rounds of one pre-copy, the last one included. */
export const MOST_ROUNDS = 64;

/** What the header says. */
export interface PreCopyHeader {
  /** SHA-256 of the instrumented module. */
  readonly module: Uint8Array;
  readonly profile: string;
}

/** Whether page `page` is set. */
export function marked(bitmap: Uint8Array, page: number): boolean {
  return ((bitmap[page >> 3] as number) & (1 << (page & 7))) !== 0;
}

/** Set page `page`. */
export function mark(bitmap: Uint8Array, page: number): void {
  bitmap[page >> 3] = (bitmap[page >> 3] as number) | (1 << (page & 7));
}
