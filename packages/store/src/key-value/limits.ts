/** Bounds of a store of keys (law 6), with the default of each. */
import { type LimitRange, limitsWithin } from "../limit-range.ts";

/** The longest key, in bytes of UTF-8. */
export const KEY_BYTES = 512;
/** The most keys that one listing returns. */
export const KEYS_AT_ONCE = 10_000;

/** What can be set. */
export interface KeyValueLimits {
  /** Keys at once, 1 to 10,000,000. Default 1,000,000. */
  readonly maxKeys: number;
  /** The largest value, 1 byte to 16 MiB. Default 1 MiB. */
  readonly valueBytes: number;
  /** All values together, 1 byte to 1 TiB. Default 1 GiB. */
  readonly maxBytes: number;
}

const RANGES: { readonly [Name in keyof KeyValueLimits]: LimitRange } = {
  maxKeys: [1, 1_000_000, 10_000_000],
  valueBytes: [1, 2 ** 20, 16 * 2 ** 20],
  maxBytes: [1, 2 ** 30, 2 ** 40],
};

/** All limits, the given ones over the defaults. @throws `abi.malformed` for one outside its range. */
export function keyValueLimits(given?: Partial<KeyValueLimits>): KeyValueLimits {
  return limitsWithin(RANGES, given);
}
