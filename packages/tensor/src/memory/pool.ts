/**
 * Blocks of a backend's memory.
 *
 * P1. Blocks are aligned to 64 bytes and never overlap. Sizes are rounded up to one of four classes per doubling, so at most a fifth of
 *     a large block is unused.
 * P2. A block that is given back is used first by the next request of its class. Once every class that is asked for has a free block,
 *     the pool touches neither its memory's size nor the heap of JavaScript.
 * P3. Where memory cannot grow any more, a free block of the next greater class serves, whole.
 * P4. `used` counts the blocks in use by their class sizes; a request that would bring it over the quota is refused before memory is touched.
 */
import type { TensorMemory } from "../backend.ts";
import { QuotaExceededError } from "../errors.ts";

const ALIGNMENT = 64;
const CLASSES = 4 * 32;

/** The blocks of one memory from `start` on. */
export class Pool {
  readonly #memory: TensorMemory;
  readonly #start: number;
  readonly #quota: number;
  readonly #free: number[][] = Array.from({ length: CLASSES }, () => []);
  #top: number;
  #used = 0;
  #taken = 0;

  constructor(memory: TensorMemory, start: number, quota: number) {
    this.#memory = memory;
    this.#start = start;
    this.#top = start;
    this.#quota = quota;
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used;
  }

  /** Most bytes that may be in use. */
  get quota(): number {
    return this.#quota;
  }

  /** Bytes of memory that were ever in use at once, with what rounding costs. */
  get reach(): number {
    return this.#top - this.#start;
  }

  /** Blocks taken since the pool was made. */
  get taken(): number {
    return this.#taken;
  }

  /** The class of a request. Its blocks are `sizeOf` bytes. */
  classOf(bytes: number): number {
    return classOf(bytes);
  }

  /** The offset of a block of a class. Its bytes are as they were left. @throws QuotaExceededError */
  take(of: number): number {
    const size = sizeOf(of);
    if (this.#used + size > this.#quota) throw new QuotaExceededError(size, this.#used, this.#quota);
    const offset = this.#free[of]?.pop() ?? this.#carve(size) ?? this.#greater(of);
    if (offset === undefined) throw new QuotaExceededError(size, this.#used, this.#memory.limit);
    this.#used += size;
    this.#taken += 1;
    return offset;
  }

  /** Give back a block of a class. */
  give(of: number, offset: number): void {
    (this.#free[of] as number[]).push(offset);
    this.#used -= sizeOf(of);
  }

  #carve(size: number): number | undefined {
    const offset = this.#top;
    if (offset + size > this.#memory.limit || !this.#memory.grow(offset + size)) return undefined;
    this.#top += size;
    return offset;
  }

  /** A block of a greater class serves from now on as one of this class. */
  #greater(of: number): number | undefined {
    for (let bigger = of + 1; bigger < CLASSES; bigger++) {
      const offset = this.#free[bigger]?.pop();
      if (offset !== undefined) return offset;
    }
    return undefined;
  }
}

/** The least class whose blocks hold `bytes`: class 4e + q has blocks of 64 * 2^e * (1 + q/4), rounded up to the alignment. */
function classOf(bytes: number): number {
  if (bytes <= ALIGNMENT) return 0;
  const lines = Math.ceil(bytes / ALIGNMENT);
  const exponent = 31 - Math.clz32(lines);
  const base = 2 ** exponent;
  return 4 * exponent + Math.ceil(((lines - base) * 4) / base);
}

/** Bytes of the blocks of a class. */
export function sizeOf(of: number): number {
  const base = 2 ** (of >> 2);
  return ALIGNMENT * Math.ceil(base + (base * (of & 3)) / 4);
}
