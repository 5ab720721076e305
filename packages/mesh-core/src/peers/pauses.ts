/**
 * Pauses between attempts that grow and are never the same for two nodes: decorrelated jitter (Brooker, "Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015).
 *
 * PS1. Each pause is between `baseMs` and three times the one before, at most `capMs`.
 */
import type { Random } from "@glia-os/abi/ports";

/** The pauses of one row of attempts. */
export class Pauses {
  readonly #random: Random;
  readonly #baseMs: number;
  readonly #capMs: number;
  #lastMs: number;

  constructor(random: Random, baseMs: number, capMs: number) {
    this.#random = random;
    this.#baseMs = baseMs;
    this.#capMs = capMs;
    this.#lastMs = baseMs;
  }

  /** The next pause in milliseconds (PS1). */
  next(): number {
    const span = 3 * this.#lastMs - this.#baseMs;
    this.#lastMs = Math.min(this.#capMs, this.#baseMs + (this.#random.uint32() / 0x1_0000_0000) * span);
    return this.#lastMs;
  }
}
