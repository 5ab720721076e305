/**
 * A `WebAssembly.Memory` as the memory of a backend.
 *
 * WM1. Memory that is not shared detaches its old buffer when it grows; shared memory does not, and views of it stay good.
 * WM2. It grows at least to twice its size at a time, so that filling it costs a constant number of growths per doubling.
 */
import type { TensorMemory } from "../backend.ts";
import { MOST_BYTES } from "../memory/heap.ts";
import { engine, type LinearMemory } from "./web-assembly.ts";

const PAGE = 65_536;

/** See the top of this file. */
export class WasmMemory implements TensorMemory {
  readonly memory: LinearMemory;
  readonly limit: number;
  buffer!: ArrayBufferLike;
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  i8!: Int8Array;
  u8!: Uint8Array;

  /** @param bytes to begin with @param limit most bytes ever, rounded up to pages of 64 KiB */
  constructor(bytes: number, limit: number = MOST_BYTES, shared = false) {
    const maximum = Math.ceil(Math.max(limit, bytes) / PAGE);
    this.memory = new (engine().Memory)({ initial: Math.ceil(bytes / PAGE), maximum, shared });
    this.limit = maximum * PAGE;
    this.#look();
  }

  grow(bytes: number): boolean {
    const now = this.buffer.byteLength;
    if (bytes <= now) return true;
    if (bytes > this.limit) return false;
    const wanted = Math.min(this.limit, Math.max(bytes, 2 * now));
    return this.#grown(wanted, now) || (wanted > bytes && this.#grown(bytes, now));
  }

  #grown(bytes: number, now: number): boolean {
    try {
      this.memory.grow(Math.ceil((bytes - now) / PAGE));
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
    this.#look();
    return true;
  }

  #look(): void {
    const { buffer } = this.memory;
    this.buffer = buffer;
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.i8 = new Int8Array(buffer);
    this.u8 = new Uint8Array(buffer);
  }
}
