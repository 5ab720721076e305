/** The checkpoints of one cell, on its runner's side: each is read in chunks while the guest goes on. */
import type { InstanceImage } from "@glia-os/abi/ports";
import type { CheckpointCodec } from "./replica-ports.ts";

/** One cell's. */
export class Checkpoints {
  readonly #codec: CheckpointCodec;
  #number = 0;
  #chunks: Iterator<Uint8Array> | undefined;
  #state: { readonly value: unknown } | undefined;

  constructor(codec: CheckpointCodec) {
    this.#codec = codec;
  }

  /** Take one of an image that stays as it is. Without one before it, it is whole. */
  take(number: number, image: InstanceImage, whole: boolean): void {
    const before = whole ? undefined : this.#state;
    const { chunks, state } =
      before === undefined ? this.#codec.whole(image) : this.#codec.next(before.value, image);
    this.#state = { value: state };
    this.#number = number;
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Whether this is the last that was taken. */
  has(number: number): boolean {
    return this.#number === number && this.#chunks !== undefined;
  }

  /** The next chunk of the last. */
  next(): Uint8Array | undefined {
    const next = this.#chunks?.next();
    return next === undefined || next.done === true ? undefined : next.value;
  }
}
