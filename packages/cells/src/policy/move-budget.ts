/**
 * How many moves policies may begin in a minute.
 *
 * MB1. At most `perMinute` moves begin in any 60 seconds, however many reasons there are; what a person asks for is not counted.
 */

const MINUTE_MS = 60_000;

/** A budget of moves. */
export class MoveBudget {
  readonly #perMinute: number;
  #begun: number[] = [];

  /** `perMinute`: 0 or more. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Moves that may begin now. */
  left(nowMs: number): number {
    this.#begun = this.#begun.filter((atMs) => nowMs - atMs < MINUTE_MS);
    return Math.max(0, this.#perMinute - this.#begun.length);
  }

  /** Take one; false when there is none (MB1). */
  take(nowMs: number): boolean {
    if (this.left(nowMs) === 0) return false;
    this.#begun.push(nowMs);
    return true;
  }
}
