/** Bounds of a blob store (law 6), with the default of each. */
import { type LimitRange, limitsWithin } from "../limit-range.ts";

/** What can be set. */
export interface BlobLimits {
  /** Blobs at once, 1 to 1,000,000. Default 100,000. */
  readonly maxBlobs: number;
  /** The largest blob, 1 byte to 1 GiB. Default 64 MiB. A blob is in memory as a whole while it is stored or fetched. */
  readonly blobBytes: number;
  /** All blobs together, 1 byte to 16 TiB. Default 64 GiB. */
  readonly maxBytes: number;
}

const RANGES: { readonly [Name in keyof BlobLimits]: LimitRange } = {
  maxBlobs: [1, 100_000, 1_000_000],
  blobBytes: [1, 64 * 2 ** 20, 2 ** 30],
  maxBytes: [1, 64 * 2 ** 30, 2 ** 44],
};

/** All limits, the given ones over the defaults. @throws `abi.malformed` for one outside its range. */
export function blobLimits(given?: Partial<BlobLimits>): BlobLimits {
  return limitsWithin(RANGES, given);
}
