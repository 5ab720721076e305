/**
 * Where tensors live: one backend, its memory, a quota.
 *
 * S1. Every block a tensor takes comes from the space's pool and goes back when its last handle is freed, the scope that made it ends,
 *     or, with `reclaim`, its handles were forgotten and collected.
 * S2. A space that was closed gives out nothing, and its tensors refuse every use (`tensor.space-closed`).
 */
import type { Backend } from "../backend.ts";
import { openBackend } from "../dispatch/choose.ts";
import { BadOptionError, QuotaExceededError, SpaceClosedError } from "../errors.ts";
import { Block } from "./block.ts";
import { MOST_BYTES } from "./heap.ts";
import { Pool } from "./pool.ts";

/** How a space is made. */
export interface SpaceOptions {
  /** Default: a new one of the kind that measured fastest on this machine. A backend serves one space. */
  readonly backend?: Backend;
  /** Most bytes of tensors at once, 64 to 2^32 - 65536, the default. Blocks count with what rounding adds, at most a fourth. */
  readonly limitBytes?: number;
  /** Give back memory of tensors that were forgotten without `free`, some time after they were collected. Default true. */
  readonly reclaim?: boolean;
}

/** Something that `scope` frees. */
export interface Scoped {
  free(): void;
}

/** Figures of a space. */
export interface SpaceUse {
  readonly backend: string;
  /** Bytes of tensors in use, with rounding. */
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Bytes of memory that were ever needed. */
  readonly reachBytes: number;
  /** Blocks taken since the space was made: does not move while a loop uses out-parameters only. */
  readonly blocksTaken: number;
}

/** See the top of this file. */
export class Space {
  readonly #backend: Backend;
  /** Offset of 64 bytes for scalar operands and results of operations; no operation leaves anything there. */
  readonly cell: number;
  readonly #pool: Pool;
  readonly #reclaim: boolean;
  readonly #scopes: Scoped[][] = [];
  #closed = false;

  constructor({ backend = openBackend(), limitBytes = MOST_BYTES, reclaim = true }: SpaceOptions = {}) {
    if (!Number.isSafeInteger(limitBytes) || limitBytes < 64 || limitBytes > MOST_BYTES)
      throw new BadOptionError(
        "new Space",
        "limitBytes",
        limitBytes,
        `a whole number from 64 to ${MOST_BYTES}`,
      );
    this.#backend = backend;
    this.#reclaim = reclaim;
    this.cell = backend.reserved;
    this.#pool = new Pool(backend.memory, backend.reserved + 64, limitBytes);
    if (!backend.memory.grow(backend.reserved + 64))
      throw new QuotaExceededError(64, 0, backend.memory.limit);
  }

  /** What computes here. @throws SpaceClosedError */
  get backend(): Backend {
    if (this.#closed) throw new SpaceClosedError(this.#backend.name);
    return this.#backend;
  }

  /** A block of at least `bytes`, its bytes as they were left. @throws QuotaExceededError */
  take(bytes: number): Block {
    const pool = this.#pool;
    if (this.#closed) throw new SpaceClosedError(this.#backend.name);
    const of = pool.classOf(bytes);
    return new Block({ pool, of, offset: pool.take(of) }, bytes, this.#reclaim);
  }

  /**
   * Run `work` and free every tensor of this space made in it, except those it returns: a tensor, or an array or record of tensors.
   * Synchronous; scopes nest.
   */
  scope<T>(work: () => T): T {
    const made: Scoped[] = [];
    this.#scopes.push(made);
    try {
      const result = work();
      const kept = keptBy(result);
      for (const one of made) if (!kept.has(one)) one.free();
      const outer = this.#scopes.at(-2);
      if (outer !== undefined) for (const one of made) if (kept.has(one)) outer.push(one);
      return result;
    } catch (error) {
      for (const one of made) one.free();
      throw error;
    } finally {
      this.#scopes.pop();
    }
  }

  /** Note something that the innermost scope is to free. */
  note(made: Scoped): void {
    this.#scopes.at(-1)?.push(made);
  }

  /** What is in use. */
  use(): SpaceUse {
    return {
      backend: this.#backend.name,
      usedBytes: this.#pool.used,
      limitBytes: this.#pool.quota,
      reachBytes: this.#pool.reach,
      blocksTaken: this.#pool.taken,
    };
  }

  /** Close the backend. Nothing can be made here afterwards, and no tensor used. Once or more often. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#backend.close?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function keptBy(result: unknown): ReadonlySet<unknown> {
  if (typeof result !== "object" || result === null) return new Set();
  return new Set([result, ...Object.values(result)]);
}
