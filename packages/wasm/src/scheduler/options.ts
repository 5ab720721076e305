/** Bounds of a scheduler and of each of its guests: defaults, ranges, and filling in what the caller left out. */
import type { EngineLimits } from "@glia-os/abi/ports";
import { BadGuestOptionError } from "./errors.ts";

/** How one guest is to be run. */
export interface GuestOptions {
  /** Turns per round, 1 to 16. Default 1. */
  readonly weight?: number;
  /** Messages that may wait for it, 1 to 65,536. Default 1000. */
  readonly mailbox?: number;
  /** Milliseconds of wall time from its spawn to its end, up to 2^40. Default: no limit. */
  readonly lifeMs?: number;
  /**
   * Calls of the host per second, 1 to 2^31. A guest over it gets no turn until the second has caught up; nothing fails. Default
   * ten million, more than a thread can do.
   */
  readonly hostCallsPerSecond?: number;
  /** Limits of the engine. */
  readonly limits?: Partial<EngineLimits>;
}

/** {@link GuestOptions} filled in. Shared by guests that were given none. */
export interface GuestTerms {
  readonly weight: number;
  readonly mailbox: number;
  readonly lifeMs: number | undefined;
  readonly hostCallsPerSecond: number;
  readonly limits: Partial<EngineLimits>;
}

/** Bounds of a scheduler. */
export interface SchedulerBounds {
  /** Guests in all, 1 to 10,000,000. Default 200,000. */
  readonly guests?: number;
  /**
   * Guests whose memory is in place, 1 to 8000; the rest hibernate. Default 8000. A process has addresses for about 8100 guests, all
   * threads and engines together.
   */
  readonly liveGuests?: number;
  /** Fuel of a turn, instead of what {@link Quantum} learns: for tests and simulations, whose turns then depend on no clock. */
  readonly sliceFuel?: number;
}

type OptionName =
  | "weight"
  | "mailbox"
  | "lifeMs"
  | "hostCallsPerSecond"
  | "guests"
  | "liveGuests"
  | "sliceFuel"
  | "leaseFuel";

const RANGES: Readonly<Record<OptionName, readonly [least: number, most: number]>> = {
  weight: [1, 16],
  mailbox: [1, 65_536],
  lifeMs: [1, 2 ** 40],
  hostCallsPerSecond: [1, 2 ** 31],
  guests: [1, 10_000_000],
  liveGuests: [1, 8000],
  sliceFuel: [1, Number.MAX_SAFE_INTEGER],
  leaseFuel: [1, Number.MAX_SAFE_INTEGER],
};

/** What guests get when nothing is said. */
export const DEFAULT_TERMS: GuestTerms = {
  weight: 1,
  mailbox: 1000,
  lifeMs: undefined,
  hostCallsPerSecond: 10_000_000,
  limits: {},
};

/** What a scheduler is bounded by when nothing is said. */
export const DEFAULT_BOUNDS: { readonly guests: number; readonly liveGuests: number } = {
  guests: 200_000,
  liveGuests: 8000,
};

/** @throws BadGuestOptionError unless `value` is undefined or a whole number in the range of `name` */
export function checkOption(name: OptionName, value: number | undefined): void {
  const [least, most] = RANGES[name];
  if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
    throw new BadGuestOptionError(name, value, least, most);
}

/** Defaults filled in and every value checked, but for the limits, which the engine checks. @throws BadGuestOptionError */
export function completeTerms(options: GuestOptions | undefined): GuestTerms {
  if (options === undefined) return DEFAULT_TERMS;
  const terms = {
    weight: options.weight ?? DEFAULT_TERMS.weight,
    mailbox: options.mailbox ?? DEFAULT_TERMS.mailbox,
    lifeMs: options.lifeMs,
    hostCallsPerSecond: options.hostCallsPerSecond ?? DEFAULT_TERMS.hostCallsPerSecond,
    limits: options.limits ?? DEFAULT_TERMS.limits,
  };
  checkOption("weight", terms.weight);
  checkOption("mailbox", terms.mailbox);
  checkOption("lifeMs", terms.lifeMs);
  checkOption("hostCallsPerSecond", terms.hostCallsPerSecond);
  return terms;
}
