/**
 * The real source of random numbers: the operating system's generator, through `node:crypto`.
 *
 * R1. Every byte comes from the cryptographic generator and is handed out once; what was handed out is wiped
 *     from the pool.
 * R2. A fork shares no state with its parent: it has its own pool. All forks draw on the same generator,
 *     whose outputs are independent, so the label does not select a stream here as it does in simulation. It
 *     is checked all the same, so that a program that runs on this source also runs on a seeded one.
 */
import { randomFillSync } from "node:crypto";
import type { Random } from "@glia-os/abi/ports";
import { BadRandomLabelError } from "./errors.ts";

/** Longest label of a fork, in UTF-16 code units. */
export const RANDOM_LABEL_LIMIT = 256;

/**
 * One call of the generator costs about a microsecond; small requests are served from a pool of this many
 * bytes.
 */
const POOL_BYTES = 4096;
/** Larger requests than this go to the generator directly. */
const POOLED_REQUEST_BYTES = 256;
/** `randomFillSync` takes at most 2^31 - 1 bytes a call. */
const FILL_LIMIT_BYTES = 0x4000_0000;

class SystemRandom implements Random {
  readonly #pool = new Uint8Array(POOL_BYTES);
  readonly #words = new DataView(this.#pool.buffer);
  /** Bytes from here to the end of the pool are fresh. */
  #next = POOL_BYTES;

  uint32(): number {
    const at = this.#take(4);
    const value = this.#words.getUint32(at);
    this.#words.setUint32(at, 0);
    return value;
  }

  bytes(target: Uint8Array): Uint8Array {
    const { length } = target;
    if (length > POOLED_REQUEST_BYTES) {
      for (let at = 0; at < length; at += FILL_LIMIT_BYTES) {
        randomFillSync(target, at, Math.min(FILL_LIMIT_BYTES, length - at));
      }
      return target;
    }
    const at = this.#take(length);
    target.set(this.#pool.subarray(at, at + length));
    this.#pool.fill(0, at, at + length);
    return target;
  }

  fork(label: string): Random {
    if (label.length < 1 || label.length > RANDOM_LABEL_LIMIT) throw new BadRandomLabelError(label.length);
    return new SystemRandom();
  }

  #take(length: number): number {
    if (this.#next + length > POOL_BYTES) {
      randomFillSync(this.#pool);
      this.#next = 0;
    }
    const at = this.#next;
    this.#next += length;
    return at;
  }
}

/**
 * A cryptographically strong source. `fork` throws `hal.bad-random-label` for an empty label or one over 256
 * characters.
 */
export function createSystemRandom(): Random {
  return new SystemRandom();
}
