/** Entry point `@glia-os/hal/clock`: the real clock and timers. */
export { BadDelayError, TooManyTimersError } from "./errors.ts";
export { createSystemClock } from "./system-clock.ts";
export {
  createSystemTimers,
  MAX_PENDING_TIMERS,
  type SystemTimers,
  type SystemTimersOptions,
  type TimeoutFunctions,
} from "./system-timers.ts";
