/**
 * Messages of one class on their way out.
 *
 * O1. A message is accepted when it fits under the bound or nothing else waits, so one message of any legal size passes.
 * O2. Sends that were not accepted yet keep their order; their number is bounded.
 * O3. A datagram is always accepted; over the bound the oldest are dropped and counted.
 * O4. Request frames leave only against the receiver's credit.
 */
import { SendQueueFullError } from "./errors.ts";
import { Fifo } from "./fifo.ts";
import { FLAG_FIRST, FLAG_LAST, FRAME_PAYLOAD_BYTES } from "./frame.ts";
import { FRAME_COST_BYTES, WAITING_SENDS } from "./limits.ts";

/** A frame ready to be written. */
export interface OutgoingFrame {
  readonly kind: number;
  readonly flags: number;
  readonly messageLength: number;
  readonly payload: Uint8Array;
}

/** Where a connection takes frames from. */
export interface Lane {
  /** The next frame, or `undefined` when there is none or it may not leave yet. */
  takeFrame(): OutgoingFrame | undefined;
}

interface WaitingSend {
  readonly message: Uint8Array;
  readonly accepted: () => void;
  readonly refused: (error: unknown) => void;
}

/** How an outbox behaves. */
export interface OutboxOptions {
  /** Frame kind of the class. */
  readonly kind: number;
  /** Most bytes that wait. */
  readonly boundBytes: number;
  /** Drop the oldest message over the bound instead of holding the sender back (O3). */
  readonly dropOldest?: boolean;
  /** Bytes the receiver takes at first; leave out for a class without credit (O4). */
  readonly creditBytes?: number;
}

const ACCEPTED: Promise<void> = Promise.resolve();

/** The queue of one class. */
export class Outbox implements Lane {
  readonly #options: OutboxOptions;
  readonly #messages = new Fifo<Uint8Array>();
  readonly #waiting = new Fifo<WaitingSend>();
  #queuedBytes = 0;
  #offset = 0;
  #credit: number;
  /** Datagrams dropped because the bound was reached. */
  dropped = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#credit = options.creditBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Whether nothing accepted is left to write. */
  get empty(): boolean {
    return this.#messages.length === 0;
  }

  /** Take a message; resolves when it is accepted (O1, O2). Rejects with {@link SendQueueFullError}. */
  offer(message: Uint8Array): Promise<void> {
    if (this.#options.dropOldest === true) return this.#offerDroppable(message);
    if (this.#waiting.length === 0 && this.#fits(message)) {
      this.#accept(message);
      return ACCEPTED;
    }
    if (this.#waiting.length >= WAITING_SENDS)
      return Promise.reject(new SendQueueFullError(this.#waiting.length));
    return new Promise((accepted, refused) => this.#waiting.push({ message, accepted, refused }));
  }

  /** The receiver takes `bytes` more (O4). */
  addCredit(bytes: number): void {
    this.#credit += bytes;
  }

  /** Credit left, in bytes. */
  get credit(): number {
    return this.#credit;
  }

  takeFrame(): OutgoingFrame | undefined {
    const message = this.#messages.peek();
    if (message === undefined) return undefined;
    const end = Math.min(this.#offset + FRAME_PAYLOAD_BYTES, message.length);
    const cost = end - this.#offset + FRAME_COST_BYTES;
    if (cost > this.#credit) return undefined;
    this.#credit -= cost;
    const payload = message.subarray(this.#offset, end);
    const flags = (this.#offset === 0 ? FLAG_FIRST : 0) | (end === message.length ? FLAG_LAST : 0);
    this.#offset = end;
    this.#queuedBytes -= payload.length;
    if (end === message.length) this.#completed();
    return { kind: this.#options.kind, flags, messageLength: message.length, payload };
  }

  /** Refuse what was not accepted; what was accepted stays. */
  refuseWaiting(error: unknown): void {
    for (let send = this.#waiting.shift(); send !== undefined; send = this.#waiting.shift())
      send.refused(error);
  }

  /** Forget everything. */
  discard(error: unknown): void {
    this.refuseWaiting(error);
    this.#messages.clear();
    this.#queuedBytes = 0;
    this.#offset = 0;
  }

  #fits(message: Uint8Array): boolean {
    return this.empty || this.#queuedBytes + message.length + FRAME_COST_BYTES <= this.#options.boundBytes;
  }

  #accept(message: Uint8Array): void {
    this.#messages.push(message);
    this.#queuedBytes += message.length + FRAME_COST_BYTES;
  }

  #completed(): void {
    this.#messages.shift();
    this.#queuedBytes -= FRAME_COST_BYTES;
    this.#offset = 0;
    for (
      let next = this.#waiting.peek();
      next !== undefined && this.#fits(next.message);
      next = this.#waiting.peek()
    ) {
      this.#waiting.shift();
      this.#accept(next.message);
      next.accepted();
    }
  }

  #offerDroppable(message: Uint8Array): Promise<void> {
    while (!this.#fits(message)) {
      const oldest = this.#messages.shift();
      this.#queuedBytes -= (oldest?.length ?? 0) + FRAME_COST_BYTES;
      this.dropped++;
    }
    this.#accept(message);
    return ACCEPTED;
  }
}
