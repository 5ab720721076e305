/** Memory shared by the handles of a tensor and of its views; goes back with the last of them. */
import type { Pool } from "./pool.ts";

/** A place in a pool, to be given back once. */
export interface Lease {
  readonly pool: Pool;
  readonly of: number;
  readonly offset: number;
}

/** Gives back what was forgotten. It holds the lease, never the block. */
const forgotten = new FinalizationRegistry<Lease>(({ pool, of, offset }) => pool.give(of, offset));

/** See the top of this file. */
export class Block {
  /** Byte offset in the backend's memory. */
  readonly offset: number;
  readonly bytes: number;
  readonly #lease: Lease;
  readonly #reclaim: boolean;
  #holders = 1;

  /** With `reclaim` the memory also goes back when the block was forgotten and collected. */
  constructor(lease: Lease, bytes: number, reclaim: boolean) {
    this.offset = lease.offset;
    this.bytes = bytes;
    this.#lease = lease;
    this.#reclaim = reclaim;
    if (reclaim) forgotten.register(this, lease, this);
  }

  /** One handle more. */
  hold(): this {
    this.#holders += 1;
    return this;
  }

  /** One handle less. */
  drop(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    if (this.#reclaim) forgotten.unregister(this);
    this.#lease.pool.give(this.#lease.of, this.#lease.offset);
  }
}
