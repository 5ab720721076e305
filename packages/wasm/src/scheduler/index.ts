/** Many guests in one thread. */

export type { GuestAttendance } from "./attended-guest.ts";
export {
  BadGuestOptionError,
  BadMessageError,
  GuestMailboxFullError,
  GuestOverdueError,
  GuestUnknownError,
  TooManyGuestsError,
  WaitUnansweredError,
} from "./errors.ts";
export type { GuestEnd, SchedulerEvents } from "./events.ts";
export type { GuestOptions, SchedulerBounds } from "./options.ts";
export {
  GuestScheduler,
  type SchedulerCounts,
  type SchedulerOptions,
} from "./scheduler.ts";
