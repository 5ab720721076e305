/**
 * The real clock.
 *
 * C1. `monotonicMs` never goes back: it is Node's high-resolution time, which no clock adjustment touches.
 * C2. `wallMs` is the system's idea of the date. It may jump either way when the date is set.
 * C3. On Linux and macOS the monotonic time stands still while the whole machine is suspended. A deadline
 *     counted on it is then late by the length of the sleep; whoever holds a lease must ask the registry
 *     after a wake-up (wall time jumps).
 */
import type { Clock } from "@glia-os/abi/ports";

/**
 * The machine's clock. Readings are fractional milliseconds; each thread has its own start of monotonic time.
 */
export function createSystemClock(): Clock {
  return { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
}
