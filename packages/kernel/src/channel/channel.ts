/**
 * A bounded channel for many senders and many receivers. With capacity 0 it is a rendezvous.
 *
 * CH1. It holds at most `capacity` messages; a sender beyond that waits, and with capacity 0 every sender waits for a receiver.
 * CH2. First in, first out, over what the channel holds and then over the senders that wait, plain senders before selects.
 * CH3. A message goes to exactly one receiver, or stays with a sender whose `send` fails.
 * CH4. Closing it refuses every later and every waiting send. What it holds can still be received; after that, receiving fails.
 *      It also closes, and forgets what it holds, when no task can receive from it any more.
 *
 * The close semantics are those of Go's channels (The Go Programming Language Specification, "Close"), with an error in place of
 * the panic and of the zero value.
 */
import type { KernelObject } from "../capability-table.ts";
import { MUST_WAIT, TAKEN } from "../ipc.ts";
import { whole } from "../mailbox.ts";
import { TaskList } from "../task.ts";
import type { Waker } from "../waker.ts";
import { ChannelClosedError } from "./errors.ts";
import { NOTHING, nextSent } from "./waiting.ts";

/** Messages a channel may be made to hold: 2^24, as for mailboxes. */
export const CHANNEL_CAPACITY_MAX = 16_777_216;

const INITIAL_ROOM = 8;
// A constant of this module: the engine folds it, which it does not do with what a module imports.
const TOOK = TAKEN;

/** A channel. Internal: programs hold handles. */
export class Channel implements KernelObject {
  readonly kind = "channel";
  receivers = 0;
  /** Messages held. */
  size = 0;
  closed = false;
  declare readonly capacity: number;
  readonly takers: TaskList = new TaskList();
  /** Parked senders: plain ones with their message in `task.arg`, selects with it in their node. */
  readonly senders: TaskList = new TaskList();
  #ring: unknown[] = [];
  /** Length of the ring, a power of two, less one; -1 without a ring. */
  #mask = -1;
  #first = 0;

  constructor(capacity: number) {
    whole("channel capacity", capacity, 0, CHANNEL_CAPACITY_MAX);
    this.capacity = capacity;
  }

  /** Hand a message over or keep it, if that can be done now. O(1) amortised. @throws {ChannelClosedError} */
  offer(waker: Waker, message: unknown): number {
    if (this.closed) throw new ChannelClosedError();
    const { size } = this;
    if (size === 0 && !this.takers.idle) {
      waker.wakeOne(this.takers, message);
      return TOOK;
    }
    if (size >= this.capacity) return MUST_WAIT;
    if (size > this.#mask) this.#grow();
    this.#ring[(this.#first + size) & this.#mask] = message;
    this.size = size + 1;
    return TOOK;
  }

  /** The next message, or {@link NOTHING}. Lets the next sender in. O(1). @throws {ChannelClosedError} when closed and empty. */
  take(waker: Waker): unknown {
    const { size } = this;
    if (size === 0) {
      const sent = nextSent(waker, this.senders);
      if (sent === NOTHING && this.closed) throw new ChannelClosedError();
      return sent;
    }
    const at = this.#first;
    const message = this.#ring[at];
    this.#ring[at] = undefined;
    this.#first = (at + 1) & this.#mask;
    this.size = size - 1;
    if (!this.senders.idle) this.#letIn(waker);
    return message;
  }

  /** Whether `take` would give something, or fail, at once. */
  get readable(): boolean {
    return this.size > 0 || !this.senders.idle || this.closed;
  }

  /** Whether `offer` would be taken, or fail, at once. */
  get writable(): boolean {
    return this.closed || this.size < this.capacity || (this.size === 0 && !this.takers.idle);
  }

  /** Forget what is held: nobody can receive it. */
  forget(): void {
    this.#ring = [];
    this.#mask = -1;
    this.#first = 0;
    this.size = 0;
  }

  /** The first sender that waits goes on: there is room. */
  #letIn(waker: Waker): void {
    this.#ring[(this.#first + this.size) & this.#mask] = nextSent(waker, this.senders);
    this.size++;
  }

  #grow(): void {
    const old = this.#ring;
    const ring: unknown[] = new Array(Math.max(INITIAL_ROOM, old.length * 2)).fill(undefined);
    for (let i = 0; i < this.size; i++) ring[i] = old[(this.#first + i) & this.#mask];
    this.#ring = ring;
    this.#mask = ring.length - 1;
    this.#first = 0;
  }
}
