/**
 * Memory for large batches, used again: a stream of fresh ones makes the collector stop the event loop for milliseconds.
 *
 * BB1. A buffer is handed out again only after it was given back: when the stream has taken its bytes.
 * BB2. At most four are kept, and none while nothing is being written.
 */
import { BULK_WRITES, FRAME_COST_BYTES } from "./limits.ts";

/** Smaller batches come from Node's own pool or are rare. */
const LARGE_BYTES = 65_536 + 1024;
const KEPT = 4;
/** A batch ends with the frame that fills it, so it may be longer by one frame and its header, and by control frames. */
const ROOM_BYTES: number = BULK_WRITES.batchBytes + 16_384 + 64 * FRAME_COST_BYTES;

/** The buffers of one connection. */
export class BatchBuffers {
  readonly #kept: Buffer[] = [];

  /** Memory of at least `size` bytes, with anything in it. */
  take(size: number): Buffer {
    if (size < LARGE_BYTES || size > ROOM_BYTES) return Buffer.allocUnsafe(size);
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(ROOM_BYTES);
  }

  /** A part of what was taken, from its start; its bytes are not needed any more (BB1). */
  giveBack(batch: Buffer): void {
    if (batch.buffer.byteLength !== ROOM_BYTES || batch.byteOffset !== 0 || this.#kept.length >= KEPT) return;
    this.#kept.push(Buffer.from(batch.buffer, 0, ROOM_BYTES));
  }

  /** Keep nothing (BB2). */
  clear(): void {
    this.#kept.length = 0;
  }
}
