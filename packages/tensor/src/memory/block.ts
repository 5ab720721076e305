/** Memory shared by the handles of a tensor and of its views; goes back with the last of them. */

/** See the top of this file. */
export class Block {
  /** Byte offset in the backend's memory. */
  readonly offset: number;
  readonly bytes: number;
  readonly #release: (block: Block) => void;
  #holders = 1;

  constructor(offset: number, bytes: number, release: (block: Block) => void) {
    this.offset = offset;
    this.bytes = bytes;
    this.#release = release;
  }

  /** One handle more. */
  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** One handle less. */
  drop(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#release(this);
  }
}
