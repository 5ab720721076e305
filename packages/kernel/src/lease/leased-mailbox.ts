/**
 * A mailbox whose messages are lent: a receiver gets a lease, and the message is gone only when the lease is acknowledged.
 *
 * L1. A message is in one of four places: waiting, leased, acknowledged, or in the mailbox for dead letters. It is acknowledged or
 *     becomes a dead letter once, and nothing else takes it out while somebody can receive.
 * L2. A lease ends by `ack`, by `nack`, at its deadline, or when its holder can no longer receive from the mailbox (its end, a
 *     dropped handle, a revocation). All but the first put the message back at the front.
 * L3. A message that was delivered `deliveries` times goes to the mailbox for dead letters, if there is one. When that one has no
 *     room, it is delivered again instead: no message is lost for want of room.
 * L4. Waiting and leased messages together count against `capacity`, `high` and `low`, which mean what they mean for mailboxes.
 * L5. When no task can receive any more, what is left becomes dead letters as far as there is room; the rest is counted as dropped.
 */
import type { KernelObject } from "../capability-table.ts";
import { failAll, NOTHING, nextSent } from "../channel/waiting.ts";
import { MailboxClosedError } from "../errors.ts";
import { MUST_WAIT, NO_ROOM, offer, TAKEN } from "../ipc.ts";
import { Mailbox, type MailboxOptions } from "../mailbox.ts";
import type { Scheduler } from "../scheduler.ts";
import { type Task, TaskList } from "../task.ts";
import { type DeadLetter, HeldLease, type Lender, type Parcel } from "./lease.ts";

/** What a `select` that waits for a lease holds in its node. */
export interface LeaseRequest {
  readonly durationMs: number;
}

/** A mailbox with leases. Internal: programs hold handles. */
export class LeasedMailbox implements KernelObject, Lender {
  readonly kind = "leased-mailbox";
  receivers = 0;
  /** Messages waiting and leased (L4). */
  size = 0;
  pressured = false;
  closed = false;
  readonly capacity: number;
  readonly high: number;
  readonly low: number;
  readonly refuses: boolean;
  readonly takers: TaskList = new TaskList();
  readonly senders: TaskList = new TaskList();
  readonly #scheduler: Scheduler;
  readonly #deliveries: number;
  readonly #deadLetters: Mailbox | null;
  /** New messages in order of arrival; `#first` of them were taken. */
  #fresh: Parcel[] = [];
  #first = 0;
  /** Messages that came back, the next one last. */
  readonly #returned: Parcel[] = [];
  readonly #held: Set<HeldLease> = new Set();

  constructor(scheduler: Scheduler, bounds: MailboxOptions, deliveries: number, deadLetters: Mailbox | null) {
    const { capacity, high, low, overflow } = new Mailbox(bounds);
    this.#scheduler = scheduler;
    this.capacity = capacity;
    this.high = high;
    this.low = low;
    this.refuses = overflow === "refuse";
    this.#deliveries = deliveries;
    this.#deadLetters = deadLetters;
  }

  /** Messages that wait for a receiver. */
  get waiting(): number {
    return this.#returned.length + this.#fresh.length - this.#first;
  }

  /** Leases that are held. */
  get leased(): number {
    return this.#held.size;
  }

  /** Offer a message; `patient` senders hold back under pressure. O(1) amortised. @throws {MailboxClosedError} */
  offer(message: unknown, patient: boolean): number {
    if (this.closed) throw new MailboxClosedError();
    if (this.refuses || !patient) {
      if (this.size >= this.capacity) return NO_ROOM;
    } else if (this.pressured) return MUST_WAIT;
    this.#add(message);
    this.#deliver();
    return TAKEN;
  }

  /** Lend the next message, which must be there, to a task. O(log leases). */
  lend(holder: Task, durationMs: number): HeldLease {
    const parcel = this.#returned.pop() ?? this.#shift();
    parcel.deliveries++;
    const lease = new HeldLease(this, parcel, holder.id);
    this.#held.add(lease);
    this.keep(lease, durationMs);
    return lease;
  }

  /** Let a lease end `durationMs` from now. */
  keep(lease: HeldLease, durationMs: number): void {
    const { alarms, setup } = this.#scheduler;
    alarms.cancel(lease);
    lease.deadlineMs = setup.clock.monotonicMs() + durationMs;
    alarms.set(lease, lease.deadlineMs);
  }

  /** The message of a lease is done. */
  acknowledge(lease: HeldLease): void {
    this.#end(lease, "acknowledged");
    this.#leave();
  }

  /** The message of a lease was not dealt with (L2, L3). */
  giveBack(lease: HeldLease, reason: Exclude<DeadLetter["reason"], "closed">): void {
    this.#end(lease, reason);
    const { parcel } = lease;
    if (parcel.deliveries >= this.#deliveries && this.#bury(parcel, reason)) this.#leave();
    else {
      this.#returned.push(parcel);
      this.#deliver();
    }
  }

  /** A task lost its last right to receive: its leases end (L2). O(leases). */
  abandoned(owner: Task): void {
    for (const lease of [...this.#held]) if (lease.holder === owner.id) this.giveBack(lease, "abandoned");
  }

  /** Nobody can receive any more (L5). */
  close(): void {
    this.closed = true;
    for (const lease of this.#held) {
      this.#end(lease, "abandoned");
      this.#returned.push(lease.parcel);
    }
    failAll(this.#scheduler, this.senders, () => new MailboxClosedError());
    while (this.waiting > 0) {
      const parcel = this.#returned.pop() ?? this.#shift();
      if (!this.#bury(parcel, "closed")) this.#scheduler.seam.counters.dropped++;
    }
    this.size = 0;
  }

  #add(message: unknown): void {
    this.#fresh.push({ message, deliveries: 0 });
    if (++this.size >= this.high) this.pressured = true;
  }

  #shift(): Parcel {
    const parcel = this.#fresh[this.#first]!;
    this.#first++;
    // Half of the array is behind us: moving the rest costs no more than the takes that made it so.
    if (this.#first * 2 >= this.#fresh.length) {
      this.#fresh = this.#fresh.slice(this.#first);
      this.#first = 0;
    }
    return parcel;
  }

  #end(lease: HeldLease, how: string): void {
    lease.ended = how;
    this.#held.delete(lease);
    this.#scheduler.alarms.cancel(lease);
  }

  /** One message less (L4): let senders in when the pressure ends. */
  #leave(): void {
    this.size--;
    if (!this.pressured || this.size > this.low) return;
    this.pressured = false;
    while (!this.pressured) {
      const message = nextSent(this.#scheduler, this.senders);
      if (message === NOTHING) break;
      this.#add(message);
    }
    this.#deliver();
  }

  /** Lend what waits to whoever waits. */
  #deliver(): void {
    for (let node = this.takers.firstNode; node !== null && this.waiting > 0; node = this.takers.firstNode) {
      const { durationMs } = node.offer as LeaseRequest;
      this.#scheduler.resumeSelect(node.task, node.index, this.lend(node.task, durationMs));
    }
  }

  /** Make a message a dead letter. Returns whether there was room. */
  #bury({ message, deliveries }: Parcel, reason: DeadLetter["reason"]): boolean {
    const grave = this.#deadLetters;
    if (grave === null || grave.closed) return false;
    const letter: DeadLetter = { message, deliveries, reason };
    return offer(this.#scheduler, grave, letter, false) === TAKEN;
  }
}
