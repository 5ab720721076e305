/** Durations that programs pass in, checked before anything waits for them. */
import type { Clock } from "@glia-os/abi/ports";
import { DURATION_LIMIT_MS } from "./constants.ts";
import { BadDurationError } from "./errors.ts";

/** Refuse what is not a number of milliseconds from 0 to {@link DURATION_LIMIT_MS}. */
export function checkDuration(durationMs: number, what: string): void {
  if (typeof durationMs !== "number" || !(durationMs >= 0 && durationMs <= DURATION_LIMIT_MS))
    throw new BadDurationError(what, durationMs);
}

/** The moment `durationMs` from now. Reads the clock, so that a wait never ends early because a slice ran long. */
export function deadlineAfter(clock: Clock, durationMs: number, what: string): number {
  checkDuration(durationMs, what);
  return clock.monotonicMs() + durationMs;
}
