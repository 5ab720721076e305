/** Making a mailbox with leases from its options. */
import { RIGHTS } from "@glia-os/abi/syscalls";
import { BadOptionError } from "../errors.ts";
import { type Mailbox, type MailboxOptions, whole } from "../mailbox.ts";
import { MAILBOX } from "../opcodes.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Task } from "../task.ts";
import { DELIVERIES, DELIVERIES_MAX, type LeaseOptions } from "./lease-options.ts";
import { LeasedMailbox } from "./leased-mailbox.ts";

/** Make a mailbox with leases. @throws {BadOptionError} or what authorizing the mailbox for dead letters throws; nothing was made. */
export function leasedMailbox(
  scheduler: Scheduler,
  task: Task,
  bounds: MailboxOptions,
  { deliveries = DELIVERIES, deadLetters }: LeaseOptions,
): LeasedMailbox {
  whole("lease deliveries", deliveries, 1, DELIVERIES_MAX);
  if (bounds.overflow === "drop-oldest")
    throw new BadOptionError("mailbox overflow", bounds.overflow, "wait or refuse when messages are leased");
  if (deadLetters === undefined) return new LeasedMailbox(scheduler, bounds, deliveries, null);
  const object = scheduler.seam.authorize(MAILBOX, task, deadLetters, RIGHTS.send, "mailbox");
  const grave = object as Mailbox;
  if (grave.overflow === "drop-oldest")
    throw new BadOptionError("overflow of the mailbox for dead letters", grave.overflow, "wait or refuse");
  return new LeasedMailbox(scheduler, bounds, deliveries, grave);
}
