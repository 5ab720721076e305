/**
 * Growable memory of plain JavaScript, for the scalar backend.
 *
 * H1. Growth moves the bytes into a longer buffer and detaches the old one, as `WebAssembly.Memory` does: a view kept over a growth has
 *     length 0 and cannot read stale values.
 */
import type { TensorMemory } from "../backend.ts";

/** Bytes are added at least so many at a time. */
const STEP = 65_536;

/** Most bytes of any memory: what 32-bit offsets can name, less one page. */
export const MOST_BYTES: number = 2 ** 32 - STEP;

/** See the top of this file. */
export class Heap implements TensorMemory {
  buffer: ArrayBuffer;
  readonly limit: number;
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  i8!: Int8Array;
  u8!: Uint8Array;

  constructor(limit: number = MOST_BYTES) {
    this.limit = limit;
    this.buffer = new ArrayBuffer(Math.min(STEP, limit));
    this.#look();
  }

  grow(bytes: number): boolean {
    if (bytes <= this.buffer.byteLength) return true;
    if (bytes > this.limit) return false;
    const ample = Math.min(this.limit, Math.max(bytes, this.buffer.byteLength * 2));
    const length = Math.min(this.limit, Math.ceil(ample / STEP) * STEP);
    try {
      this.buffer = this.buffer.transfer(length);
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    this.#look();
    return true;
  }

  #look(): void {
    const { buffer } = this;
    const whole = buffer.byteLength - (buffer.byteLength % 8);
    this.f32 = new Float32Array(buffer, 0, whole / 4);
    this.f64 = new Float64Array(buffer, 0, whole / 8);
    this.i32 = new Int32Array(buffer, 0, whole / 4);
    this.i8 = new Int8Array(buffer);
    this.u8 = new Uint8Array(buffer);
  }
}
