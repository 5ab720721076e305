/**
 * One message put together from its frames.
 *
 * A1. Memory follows the bytes that arrived, not the length that was announced: the buffer starts at 1 MiB at most and
 *     grows fourfold as it fills, so it is never more than four times what arrived, or 1 MiB.
 * A2. Frames of a message agree on its length, start with FIRST, end with LAST and fill it exactly.
 */
import { BadFrameError } from "./errors.ts";
import { FLAG_FIRST, FLAG_LAST, type FrameHeader } from "./frame.ts";

const FIRST_ALLOCATION_BYTES = 1024 * 1024;
/** A larger factor copies less: a message of 16 MiB is copied twice, at 1 and at 4 MiB. */
const GROWTH = 4;

/** Memory that is not cleared first: a message is handed on only when every byte of it was written. */
function room(length: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
}

/** Puts messages of one class together. */
export class Reassembly {
  #buffer: Uint8Array = new Uint8Array(0);
  #filled = 0;
  #length = 0;
  #open = false;
  #last = false;

  /** Whether a message has started and is not complete. */
  get partial(): boolean {
    return this.#open;
  }

  /** A frame of this class starts (A2). @throws {BadFrameError} */
  begin(header: FrameHeader): void {
    const first = (header.flags & FLAG_FIRST) !== 0;
    if (first === this.#open)
      throw new BadFrameError(first ? "a message starts inside another" : "a message has no start");
    if (first) {
      this.#open = true;
      this.#length = header.messageLength;
      this.#filled = 0;
      this.#buffer = room(Math.min(header.messageLength, FIRST_ALLOCATION_BYTES));
    }
    this.#last = (header.flags & FLAG_LAST) !== 0;
    const after = this.#filled + header.payloadLength;
    if (header.messageLength !== this.#length)
      throw new BadFrameError("two frames give a message two lengths");
    if (after > this.#length) throw new BadFrameError("a message is longer than it announced");
    if (this.#last !== (after === this.#length))
      throw new BadFrameError("the last frame does not end its message");
    this.#grow(after);
  }

  /** Bytes of the frame that was begun. */
  data(piece: Uint8Array): void {
    this.#buffer.set(piece, this.#filled);
    this.#filled += piece.length;
  }

  /** The frame is complete; the message, if it was the last one. */
  end(): Uint8Array | undefined {
    if (!this.#last) return undefined;
    const message = this.#buffer;
    this.#open = false;
    this.#buffer = new Uint8Array(0);
    return message;
  }

  #grow(needed: number): void {
    if (needed <= this.#buffer.length) return;
    const larger = room(Math.min(this.#length, Math.max(needed, this.#buffer.length * GROWTH)));
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = larger;
  }
}
