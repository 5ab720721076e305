/**
 * The bytes of a post-copy: the state of a stopped guest besides its memory, then its pages while it runs at the other end
 * (docs/spec/postcopy.md). Integers are little-endian. Rounds, frames and the state are those of a pre-copy.
 */
import { FRAME_PAGES } from "../precopy/format.ts";

/** "GLPO". */
export const POSTCOPY_MAGIC: readonly number[] = [0x47, 0x4c, 0x50, 0x4f];
export const POSTCOPY_VERSION = 1;

/** First byte of the parts that a pre-copy has not. */
export const POST_PART = { handOver: 6, push: 7, complete: 8 } as const;

/** Kind and number, before a push and at the end. */
export const PUSH_HEAD_BYTES = 5;
/** Bits of the map of missing pages for each page of 64 KiB. */
export const MAP_BYTES_PER_PAGE = 2;

/** What the destination says: a kind and a number. */
export const ANSWER_BYTES = 5;
export const ANSWER = { wanted: 1, taken: 2, ready: 3 } as const;

/** Most pages of one push. */
export const MOST_PUSH_PAGES: number = FRAME_PAGES;
