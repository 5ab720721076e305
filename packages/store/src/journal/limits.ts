/** Bounds of a journal (law 6), with the default of each. */
import { MalformedError } from "@glia-os/abi/errors";

/** The most records of one batch (docs/spec/journal.md). */
export const BATCH_RECORDS = 65_535;
/** The largest body of one batch: 16 MiB (docs/spec/journal.md). */
export const BATCH_BYTES: number = 16 * 2 ** 20;
/** The largest segment that is taken over: what a full open segment and one largest batch come to, and its header. */
export const SEGMENT_BYTES_MOST: number = 2 * BATCH_BYTES + 4_096;
/** The longest name of a domain. */
export const DOMAIN_LENGTH = 128;

/** What can be set. */
export interface JournalLimits {
  /** Domains at once, 1 to 1,000,000. Default 100,000. */
  readonly maxDomains: number;
  /** An open segment of at least this many bytes is sealed before the next batch, 4 KiB to 16 MiB. Default 1 MiB. */
  readonly segmentBytes: number;
  /** All bodies together, 1 MiB to 1 TiB. Default 64 GiB. */
  readonly maxBytes: number;
}

const RANGES: {
  readonly [Key in keyof JournalLimits]: readonly [least: number, normal: number, most: number];
} = {
  maxDomains: [1, 100_000, 1_000_000],
  segmentBytes: [4_096, 2 ** 20, BATCH_BYTES],
  maxBytes: [2 ** 20, 64 * 2 ** 30, 2 ** 40],
};

/** All limits, the given ones over the defaults. @throws `abi.malformed` for one outside its range. */
export function journalLimits(given: Partial<JournalLimits> = {}): JournalLimits {
  const one = (key: keyof JournalLimits): number => {
    const [least, normal, most] = RANGES[key];
    const value = given[key] ?? normal;
    if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
    throw new MalformedError(key, `${String(value)} is not a whole number from ${least} to ${most}`);
  };
  return { maxDomains: one("maxDomains"), segmentBytes: one("segmentBytes"), maxBytes: one("maxBytes") };
}
