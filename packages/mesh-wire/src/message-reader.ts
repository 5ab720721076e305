/** Reads the frames of one class and hands on whole messages. */
import type { FrameHeader } from "./frame.ts";
import { Reassembly } from "./reassembly.ts";

/** A {@link Reassembly} with somewhere to put its messages. */
export class MessageReader {
  readonly #reassembly = new Reassembly();
  readonly #message: (message: Uint8Array) => void;

  constructor(message: (message: Uint8Array) => void) {
    this.#message = message;
  }

  /** Whether a message has started and is not complete. */
  get partial(): boolean {
    return this.#reassembly.partial;
  }

  /** A frame starts. @throws {BadFrameError} when it does not continue the message */
  begin(header: FrameHeader): void {
    this.#reassembly.begin(header);
  }

  /** A piece of the frame. */
  data(piece: Uint8Array): void {
    this.#reassembly.data(piece);
  }

  /** The frame is complete. */
  end(): void {
    const message = this.#reassembly.end();
    if (message !== undefined) this.#message(message);
  }
}
