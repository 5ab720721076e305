/**
 * One direction of one stream class: messages go out in parts, as far as the other side gives credit.
 *
 * SS1. At most {@link WINDOW_BYTES} are under way that the other side did not make room for again.
 * SS2. A message is accepted when fewer than {@link ACCEPTED_BYTES} wait; the others wait in order. What was accepted is sent.
 */
import { SimulatedSessionClosedError } from "./errors.ts";

/** Bytes of one class that may be under way. */
export const WINDOW_BYTES = 1_048_576;
/** Bytes that may wait to be sent before messages are no longer accepted. */
export const ACCEPTED_BYTES = 4_194_304;
/** Bytes of one part. */
export const PART_BYTES = 65_536;

interface Waiting {
  readonly message: Uint8Array;
  readonly accept: () => void;
  readonly refuse: (error: unknown) => void;
}

/** The sender. */
export class StreamSender {
  readonly #put: (part: Uint8Array, left: number) => void;
  readonly #accepted: Uint8Array[] = [];
  readonly #waiting: Waiting[] = [];
  #acceptedBytes = 0;
  #credit = WINDOW_BYTES;
  /** Bytes of the first accepted message that are gone. */
  #sent = 0;
  #flushed: (() => void) | undefined;

  constructor(put: (part: Uint8Array, left: number) => void) {
    this.#put = put;
  }

  /** Resolves when the message is accepted (SS2). */
  send(message: Uint8Array): Promise<void> {
    return new Promise((accept, refuse) => {
      this.#waiting.push({ message, accept, refuse });
      this.#pump();
    });
  }

  /** The other side made room. */
  credited(bytes: number): void {
    this.#credit = Math.min(WINDOW_BYTES, this.#credit + bytes);
    this.#pump();
  }

  /** Accept nothing more; resolves when what was accepted is sent. */
  finish(why: string): Promise<void> {
    this.#refuse(why);
    if (this.#accepted.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushed = resolve;
    });
  }

  /** Drop everything. */
  end(why: string): void {
    this.#accepted.length = 0;
    this.#refuse(why);
    this.#flushed?.();
  }

  #refuse(why: string): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(new SimulatedSessionClosedError(why));
  }

  #pump(): void {
    do {
      while (this.#waiting.length > 0 && this.#acceptedBytes < ACCEPTED_BYTES) this.#accept();
    } while (this.#sendFirst());
    if (this.#accepted.length === 0) this.#flushed?.();
  }

  #accept(): void {
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#accepted.push(next.message);
    this.#acceptedBytes += next.message.length;
    next.accept();
  }

  /** As much of the first message as there is credit for; whether it is gone. */
  #sendFirst(): boolean {
    const message = this.#accepted[0];
    if (message === undefined) return false;
    do {
      const size = Math.min(PART_BYTES, this.#credit, message.length - this.#sent);
      if (size === 0 && message.length > 0) return false;
      this.#credit -= size;
      this.#put(message.subarray(this.#sent, this.#sent + size), message.length - this.#sent - size);
      this.#sent += size;
    } while (this.#sent < message.length);
    this.#accepted.shift();
    this.#acceptedBytes -= message.length;
    this.#sent = 0;
    return true;
  }
}
