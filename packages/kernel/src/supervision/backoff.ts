/**
 * Waiting before a restart: exponential backoff with full jitter (Marc Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog,
 * 2015): a random time between 0 and a ceiling that doubles with each failure in a row, so that children that failed together do not
 * come back together.
 */

/** How long to wait. */
export interface Backoff {
  /** Ceiling after the first failure, 1 ms or more. */
  readonly baseMs: number;
  /** Ceiling of ceilings. */
  readonly maxMs: number;
}

const UINT32 = 4_294_967_296;

/** The wait before the `failures`-th restart in a row (from 1), in whole milliseconds. `draw` is a random 32-bit number. */
export function backoffMs({ baseMs, maxMs }: Backoff, failures: number, draw: number): number {
  let ceiling = baseMs;
  for (let i = 1; i < failures && ceiling < maxMs; i++) ceiling *= 2;
  return Math.floor((Math.min(ceiling, maxMs) + 1) * (draw / UINT32));
}
