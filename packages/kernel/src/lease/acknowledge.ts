/** Ending and extending leases. Each refusal changes nothing. */
import { checkDuration } from "../duration.ts";
import { BadDurationError } from "../errors.ts";
import { LeaseEndedError, NotALeaseError } from "./errors.ts";
import { HeldLease } from "./lease.ts";

/** The message is done. @throws {NotALeaseError} {LeaseEndedError} */
export function ack(lease: unknown): void {
  const held = openLease(lease);
  held.mailbox.acknowledge(held);
}

/** Give the message back, to be delivered again. @throws {NotALeaseError} {LeaseEndedError} */
export function nack(lease: unknown): void {
  const held = openLease(lease);
  held.mailbox.giveBack(held, "nacked");
}

/** Let a lease end `durationMs` from now. @throws {NotALeaseError} {LeaseEndedError} {BadDurationError} */
export function renew(lease: unknown, durationMs: number): void {
  const held = openLease(lease);
  checkLeaseDuration(durationMs);
  held.mailbox.keep(held, durationMs);
}

/** Refuse a time that is no duration or is 0: such a lease would end before anybody could acknowledge it. */
export function checkLeaseDuration(durationMs: number): void {
  checkDuration(durationMs, "a lease");
  if (durationMs === 0) throw new BadDurationError("a lease", durationMs);
}

function openLease(lease: unknown): HeldLease {
  if (!(lease instanceof HeldLease)) throw new NotALeaseError();
  if (!lease.open) throw new LeaseEndedError(lease.ended);
  return lease;
}
