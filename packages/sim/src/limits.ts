/** The simulator's limits. Each is a default that an option changes, or a bound that a test hits. */
import { BadOptionError } from "./errors.ts";

/** Virtual time after which a run is ended: one hour. */
export const VIRTUAL_MS_MAX = 3_600_000;

/** Events (syscalls, state changes, outcomes, ends) after which a run is ended. */
export const STEPS_MAX = 1_000_000;

/** Largest value of either limit. Virtual time stays far below where milliseconds lose their fractions. */
export const LIMIT_MAX = 9_000_000_000_000;

/** Events one run keeps for comparing: about 100 bytes each. */
export const KEPT_EVENTS = 200_000;

/** Characters one task's log holds; what comes after is counted only. */
export const TASK_LOG_LENGTH = 1_048_576;

/** Timers that may be set at once on one virtual time. */
export const TIMERS_MAX = 1_048_576;

/** Parts of one value that its digest looks at, and how deep. */
export const DIGEST_PARTS = 10_000;
export const DIGEST_DEPTH = 32;

/** Faults of one run. */
export const FAULTS_MAX = 10_000;

/** Times shrinking runs the scenario again, unless told otherwise. */
export const SHRINK_RUNS = 1000;

/** @throws {BadOptionError} unless `value` is a whole number from `least` to `most`. */
export function whole(option: string, value: number, least: number, most: number): number {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
  return value;
}

/** @throws {BadOptionError} unless `value` is a finite number from `least` to `most`. */
export function finite(option: string, value: number, least: number, most: number): number {
  if (typeof value !== "number" || !(value >= least && value <= most))
    throw new BadOptionError(option, value, `a number from ${least} to ${most}`);
  return value;
}
