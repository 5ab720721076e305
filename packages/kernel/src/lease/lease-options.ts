/** How a mailbox with leases is asked for. */
import type { Handle } from "../handle.ts";

/** Deliveries of a message before it is a dead letter, unless told otherwise. */
export const DELIVERIES = 5;
/** Deliveries that may be agreed on. */
export const DELIVERIES_MAX = 1_000_000;

/** How messages are lent. */
export interface LeaseOptions {
  /** Deliveries of a message before it becomes a dead letter: 1 to 1,000,000; default 5. Without `deadLetters` there is no end. */
  readonly deliveries?: number;
  /** A mailbox that takes dead letters. Needs the right `send`; its overflow policy must not be `drop-oldest`. */
  readonly deadLetters?: Handle;
}
