/**
 * Whole messages of one class on their way to the receiver.
 *
 * I1. One message at a time: the next is delivered when the receiver's promise for the one before has settled.
 * I2. Before there is a receiver, messages wait as if one were being received.
 * I3. `settled` is told the cost of each message when it is done with, `idle` whenever nothing waits or is being received.
 */
import { Fifo } from "./fifo.ts";

/** Takes one message; a promise holds back the next. */
export type Receive = (message: Uint8Array) => void | Promise<void>;

/** What an inbox tells its session. */
export interface InboxEvents {
  /** A message is done with (I3). */
  settled(cost: number): void;
  /** Nothing waits and nothing is being received (I3). */
  idle(): void;
  /** The receiver threw or rejected. */
  failed(error: unknown): void;
}

interface Waiting {
  readonly message: Uint8Array;
  readonly cost: number;
}

/** The queue of one class. */
export class Inbox {
  readonly #events: InboxEvents;
  readonly #boundBytes: number;
  readonly #messages = new Fifo<Waiting>();
  #receive: Receive | undefined;
  #held = false;
  #delivering = false;
  #queuedBytes = 0;
  /** Messages dropped because the bound was reached. */
  dropped = 0;

  /** @param boundBytes over it the oldest messages are dropped; infinite for a class with flow control */
  constructor(events: InboxEvents, boundBytes: number = Number.POSITIVE_INFINITY) {
    this.#events = events;
    this.#boundBytes = boundBytes;
  }

  /** Whether nothing waits and nothing is being received. */
  get drained(): boolean {
    return this.#messages.length === 0 && !this.#held && !this.#delivering;
  }

  /** Whether the next message would be delivered at once. */
  get ready(): boolean {
    return this.drained && this.#receive !== undefined;
  }

  /** Name the receiver; it replaces an earlier one. */
  open(receive: Receive): void {
    this.#receive = receive;
    this.#deliver();
    if (this.ready) this.#events.idle();
  }

  /** Take a message of this cost. */
  push(message: Uint8Array, cost: number): void {
    while (this.#messages.length > 0 && this.#queuedBytes + cost > this.#boundBytes) this.#dropOldest();
    this.#queuedBytes += cost;
    this.#messages.push({ message, cost });
    this.#deliver();
  }

  /** Forget what waits. */
  discard(): void {
    this.#messages.clear();
    this.#queuedBytes = 0;
    this.#receive = undefined;
  }

  #dropOldest(): void {
    const oldest = this.#messages.shift();
    this.#queuedBytes -= oldest?.cost ?? 0;
    this.dropped++;
    this.#events.settled(oldest?.cost ?? 0);
  }

  #deliver(): void {
    if (this.#delivering || this.#held) return;
    this.#delivering = true;
    while (!this.#held && this.#receive !== undefined) {
      const next = this.#messages.shift();
      if (next === undefined) break;
      this.#queuedBytes -= next.cost;
      this.#hand(this.#receive, next);
    }
    this.#delivering = false;
    if (this.ready) this.#events.idle();
  }

  #hand(receive: Receive, next: Waiting): void {
    let result: void | Promise<void>;
    try {
      result = receive(next.message);
    } catch (error) {
      this.#events.failed(error);
      return;
    }
    if (result === undefined) {
      this.#events.settled(next.cost);
      return;
    }
    this.#held = true;
    result.then(
      () => {
        this.#held = false;
        this.#events.settled(next.cost);
        this.#deliver();
      },
      (error: unknown) => {
        this.#held = false;
        this.#events.failed(error);
      },
    );
  }
}
