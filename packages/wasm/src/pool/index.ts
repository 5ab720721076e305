/** Guests in several threads. */

export {
  BadGuestOptionError,
  BadMessageError,
  GuestLostError,
  GuestUnknownError,
  NoReplyError,
  PoolBusyError,
  PoolClosedError,
  ProgramUnknownError,
  TooManyGuestsError,
  WorkerFailedError,
} from "../scheduler/errors.ts";
export type { PoolEvents, PoolGuestEnd } from "./events.ts";
export type { GuestPoolOptions } from "./options.ts";
export { createGuestPool, GuestPool } from "./pool.ts";
export type { PoolSetup } from "./setup.ts";
