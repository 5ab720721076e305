/** One delivery of a message that must be acknowledged. */

import type { TaskId } from "../task.ts";
import type { Alarm } from "./alarm.ts";

/** A message for a time. The object is the right to acknowledge it; it may be handed to another task. */
export interface Lease<Message = unknown> {
  readonly message: Message;
  /** Which delivery of this message this is: 1 the first time. */
  readonly deliveries: number;
  /** Whether it can still be acknowledged. */
  readonly open: boolean;
  /** Monotonic time at which it ends by itself. */
  readonly deadlineMs: number;
}

/** A message that is not delivered any more, as it lies in the mailbox for dead letters. */
export interface DeadLetter<Message = unknown> {
  readonly message: Message;
  /** How often it was delivered. */
  readonly deliveries: number;
  /** How the last delivery ended: given back, out of time, or its task could not receive any more; `closed`: no receiver was left. */
  readonly reason: "nacked" | "expired" | "abandoned" | "closed";
}

/** A message in a mailbox with leases, and how often it was delivered. Internal. */
export interface Parcel {
  readonly message: unknown;
  deliveries: number;
}

/** What lent a message. Internal. */
export interface Lender {
  acknowledge(lease: HeldLease): void;
  giveBack(lease: HeldLease, reason: Exclude<DeadLetter["reason"], "closed">): void;
  keep(lease: HeldLease, durationMs: number): void;
}

/** A lease that is held. Internal. */
export class HeldLease implements Lease, Alarm {
  readonly mailbox: Lender;
  readonly parcel: Parcel;
  readonly deliveries: number;
  /** The task it was given to. */
  readonly holder: TaskId;
  /** How it ended; empty while it is open. */
  ended = "";
  deadlineMs = 0;
  timerAt = -1;

  constructor(mailbox: Lender, parcel: Parcel, holder: TaskId) {
    this.mailbox = mailbox;
    this.parcel = parcel;
    this.deliveries = parcel.deliveries;
    this.holder = holder;
  }

  get message(): unknown {
    return this.parcel.message;
  }

  get open(): boolean {
    return this.ended === "";
  }

  ring(): void {
    this.mailbox.giveBack(this, "expired");
  }
}
