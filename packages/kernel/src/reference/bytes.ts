/** The bytes of frozen values: JavaScript cannot freeze a buffer, so nobody is given one. */
import type { FrozenBytes } from "./types.ts";

/** Bytes behind an interface that only reads. In shared memory, so that threads share them without a copy. Internal. */
export class SealedBytes implements FrozenBytes {
  readonly #bytes: Uint8Array;

  /** Copies `source`, or takes shared memory that another thread sealed. */
  constructor(source: Uint8Array | SharedArrayBuffer) {
    if (source instanceof SharedArrayBuffer) this.#bytes = new Uint8Array(source);
    else {
      this.#bytes = new Uint8Array(new SharedArrayBuffer(source.length));
      this.#bytes.set(source);
    }
    Object.freeze(this);
  }

  /** The memory, for the crossing to another thread. */
  static memoryOf(bytes: SealedBytes): SharedArrayBuffer {
    return bytes.#bytes.buffer as SharedArrayBuffer;
  }

  get length(): number {
    return this.#bytes.length;
  }

  at(index: number): number | undefined {
    return this.#bytes[index];
  }

  copy(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}
