/** Bounds of one guest: defaults, ranges, and filling in what the caller left out. */
import type { EngineLimits } from "@glia-os/abi/ports";
import { BadLimitError } from "../errors.ts";

/** What a guest gets when nothing is said. */
export const DEFAULT_LIMITS: EngineLimits = {
  /** 128 MiB. */
  memoryPages: 2048,
  /** 1 MiB: room for a chunk of a stream and its header many times over. */
  messageBytes: 1_048_576,
  /** Ten seconds: far above any honest step, short enough that a person waits for the error. */
  stepMs: 10_000,
  /** 1 MiB over the whole life of the instance. */
  logBytes: 1_048_576,
  /** As good as none: what a slice may use is said at each step. */
  fuel: Number.MAX_SAFE_INTEGER,
};

/** The range of each limit. */
export const LIMIT_RANGES: Readonly<Record<keyof EngineLimits, readonly [least: number, most: number]>> = {
  /** 4 GiB is all a 32-bit memory can have. */
  memoryPages: [1, 65_536],
  messageBytes: [1, 16_777_216],
  stepMs: [1, 86_400_000],
  logBytes: [0, 1_073_741_824],
  fuel: [1, Number.MAX_SAFE_INTEGER],
};

/** Defaults filled in and every value checked. @throws BadLimitError */
export function completeLimits(limits: Partial<EngineLimits>): EngineLimits {
  const complete = { ...DEFAULT_LIMITS, ...limits };
  for (const [name, [least, most]] of Object.entries(LIMIT_RANGES)) {
    const value = complete[name as keyof EngineLimits];
    if (!Number.isInteger(value) || value < least || value > most)
      throw new BadLimitError(name, value, least, most);
  }
  return complete;
}
