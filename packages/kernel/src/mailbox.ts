/**
 * A bounded queue of messages with back-pressure.
 *
 * M1. Never more than `capacity` messages. While a receiver waits the mailbox is empty: messages are handed over directly.
 * M2. Hysteresis: pressure starts when `high` messages are held and ends when only `low` are left. Under the `wait` policy senders
 *     park while there is pressure; they are let in, first come first served, when it ends.
 * M3. At `capacity`, `refuse` refuses and `drop-oldest` drops the oldest message and counts it; nothing is lost uncounted.
 */

import type { KernelObject } from "./capability-table.ts";
import { MAILBOX_CAPACITY, MAILBOX_CAPACITY_MAX, MAILBOX_HIGH, MAILBOX_LOW } from "./constants.ts";
import { BadOptionError } from "./errors.ts";
import type { LeaseOptions } from "./lease/lease-options.ts";
import { checkOptions } from "./options.ts";
import { type Task, TaskList } from "./task.ts";

/** What happens to a message for which there is no room. */
export type Overflow = "wait" | "drop-oldest" | "refuse";

/** How a mailbox is bounded. */
export interface MailboxOptions {
  /** Messages it holds at most: 1 to 16,777,216; default 1000. */
  readonly capacity?: number;
  /** Where back-pressure starts: 1 to `capacity`; default four fifths of it. */
  readonly high?: number;
  /** Where back-pressure ends: 0 to `high` - 1; default a fifth of the capacity. */
  readonly low?: number;
  /** Default `wait`. */
  readonly overflow?: Overflow;
  /** Lend messages: they are received as leases and must be acknowledged. The policy `drop-oldest` is refused then. */
  readonly leases?: LeaseOptions;
}

const INITIAL_ROOM = 8;

/** A mailbox. Internal: programs hold handles. */
export class Mailbox implements KernelObject {
  readonly kind = "mailbox";
  receivers = 0;
  /** Messages held. */
  size = 0;
  /** Whether senders should hold back (M2). */
  pressured = false;
  /** Messages dropped to make room (M3). */
  dropped = 0;
  /** Set when nobody can receive any more. */
  closed = false;
  declare readonly capacity: number;
  declare readonly high: number;
  declare readonly low: number;
  declare readonly overflow: Overflow;
  /** The task that answers the calls that come in here, when one said so. */
  server: Task | null = null;
  /** Parked receivers. */
  readonly takers: TaskList = new TaskList();
  /** Parked senders; `task.arg` is the message. */
  readonly senders: TaskList = new TaskList();
  /** Called once when pressure ends. */
  relief: (() => void)[] | null = null;
  #ring: unknown[] = [];
  #first = 0;

  constructor(options: MailboxOptions = {}) {
    checkOptions("the options of a mailbox", options);
    const capacity = options.capacity ?? MAILBOX_CAPACITY;
    whole("mailbox capacity", capacity, 1, MAILBOX_CAPACITY_MAX);
    const high = options.high ?? Math.max(1, Math.floor((capacity * MAILBOX_HIGH) / MAILBOX_CAPACITY));
    whole("mailbox high mark", high, 1, capacity);
    const low = options.low ?? Math.min(high - 1, Math.floor((capacity * MAILBOX_LOW) / MAILBOX_CAPACITY));
    whole("mailbox low mark", low, 0, high - 1);
    const overflow = options.overflow ?? "wait";
    if (overflow !== "wait" && overflow !== "drop-oldest" && overflow !== "refuse")
      throw new BadOptionError("mailbox overflow", overflow, "wait, drop-oldest or refuse");
    this.capacity = capacity;
    this.high = high;
    this.low = low;
    this.overflow = overflow;
  }

  /** Add a message. There must be room. O(1) amortised. */
  push(message: unknown): void {
    if (this.size === this.#ring.length) this.#grow();
    this.#ring[(this.#first + this.size) & (this.#ring.length - 1)] = message;
    if (++this.size >= this.high) this.pressured = true;
  }

  /** Take the oldest message. There must be one. O(1). */
  shift(): unknown {
    const at = this.#first;
    const message = this.#ring[at];
    this.#ring[at] = undefined;
    this.#first = (at + 1) & (this.#ring.length - 1);
    this.size--;
    return message;
  }

  #grow(): void {
    const old = this.#ring;
    const ring: unknown[] = new Array(Math.max(INITIAL_ROOM, old.length * 2)).fill(undefined);
    for (let i = 0; i < this.size; i++) ring[i] = old[(this.#first + i) & (old.length - 1)];
    this.#ring = ring;
    this.#first = 0;
  }
}

/** Refuse a number that is not whole and in range. */
export function whole(option: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new BadOptionError(option, value, `a whole number from ${least} to ${most}`);
}
