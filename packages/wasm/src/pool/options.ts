/** Bounds of a pool: defaults, ranges, and filling in what the caller left out. */
import { BadGuestOptionError } from "../scheduler/errors.ts";
import { DEFAULT_BOUNDS } from "../scheduler/options.ts";
import type { PoolEvents } from "./events.ts";

/** How to make a pool. */
export interface GuestPoolOptions {
  /** Threads, 1 to 64. Default: one less than the processors there are, at least one. */
  readonly workers?: number;
  /** Guests in all, 1 to 10,000,000. Default 200,000. */
  readonly guests?: number;
  /** Guests with memory in place in all threads together, 1 to 8000; each thread has an equal share. Default 8000. */
  readonly liveGuests?: number;
  /** A guest that has waited for one to two times as long hibernates: 1 ms to 1 day. Default 10,000. */
  readonly idleMs?: number;
  /** How often threads are looked at: 1 ms to 1 minute. Default 100. */
  readonly watchMs?: number;
  /** A thread that answers nothing for so long is ended and replaced: 10 ms to 1 day. Default 30,000. */
  readonly hangMs?: number;
  /** URL of a module that every thread loads; its exports are a {@link PoolSetup}. */
  readonly setup?: URL;
  readonly events?: PoolEvents;
}

/** {@link GuestPoolOptions} filled in. */
export interface PoolTerms {
  readonly workers: number;
  readonly guests: number;
  readonly liveGuests: number;
  readonly idleMs: number;
  readonly watchMs: number;
  readonly hangMs: number;
  readonly setup: string | undefined;
  readonly events: PoolEvents;
}

const DAY_MS = 86_400_000;
const RANGES = {
  workers: [1, 64],
  guests: [1, 10_000_000],
  liveGuests: [1, 8000],
  idleMs: [1, DAY_MS],
  watchMs: [1, 60_000],
  hangMs: [10, DAY_MS],
} as const;

/** Defaults filled in and every value checked. @throws BadGuestOptionError */
export function completePoolOptions(options: GuestPoolOptions, processors: number): PoolTerms {
  const terms = {
    workers: options.workers ?? Math.min(RANGES.workers[1], Math.max(1, processors - 1)),
    guests: options.guests ?? DEFAULT_BOUNDS.guests,
    liveGuests: options.liveGuests ?? DEFAULT_BOUNDS.liveGuests,
    idleMs: options.idleMs ?? 10_000,
    watchMs: options.watchMs ?? 100,
    hangMs: options.hangMs ?? 30_000,
    setup: options.setup?.href,
    events: options.events ?? {},
  };
  for (const name of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    const [least, most] = RANGES[name];
    const value = terms[name];
    if (!(Number.isInteger(value) && value >= least && value <= most))
      throw new BadGuestOptionError(name, value, least, most);
  }
  return terms;
}
