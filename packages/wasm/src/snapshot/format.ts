/**
 * The byte form of a snapshot (docs/spec/snapshot.md), shared by writer and reader.
 *
 * F1. Layout: magic, version, header length, header, frames, end frame, SHA-256 of every byte before it.
 * F2. Integers are little-endian. A frame holds up to 256 pages of one section; pages of zeros are left out.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";

/** Magic, version byte and the length of the header. */
export const PREFIX_BYTES = 9;
/** Longest header in bytes. */
export const MOST_HEADER_BYTES = 65_536;
/** Most sections in one snapshot. */
export const MOST_SECTIONS = 16;
/** Pages a frame covers. */
export const FRAME_PAGES = 256;
/** Bytes a frame covers: 1 MiB. */
export const FRAME_BYTES: number = FRAME_PAGES * SNAPSHOT_PAGE_BYTES;
/** Bytes of the page bitmap in a frame. */
export const BITMAP_BYTES: number = FRAME_PAGES / 8;
/** Bytes of a frame before its payload: kind, section, encoding, zero, first block u32, payload length u32, bitmap. */
export const FRAME_HEAD_BYTES: number = 12 + BITMAP_BYTES;
/** Bytes of the digest at the end. */
export const DIGEST_BYTES = 32;

/** Kinds of frames. */
export const FRAME = { end: 0, pages: 1 } as const;
/** How a frame's payload is written; `runs` (zero-runs.ts) in increments only. */
export const ENCODING = { raw: 0, zstd: 1, runs: 2 } as const;

/** The header as deterministic CBOR. */
export interface SnapshotHeader {
  /** In increments: what the increment is to be applied to (increment.ts). */
  readonly base?: Uint8Array;
  readonly module: Uint8Array;
  readonly profile: string;
  readonly pending: readonly [requestId: number, op: string, args: readonly number[]];
  readonly sections: readonly (readonly [name: string, bytes: number])[];
}

/** Bytes of page `page` of a block that starts at `blockStart` in a section of `length` bytes; 0 when it lies outside. */
export function pageBytes(blockStart: number, page: number, length: number): number {
  return Math.max(0, Math.min(SNAPSHOT_PAGE_BYTES, length - blockStart - page * SNAPSHOT_PAGE_BYTES));
}
