/**
 * How many restarts happened lately.
 *
 * RW1. Never more than `intensity` restarts are admitted in any span of `periodMs`, both ends included.
 * RW2. At most `intensity` times are kept.
 */

/** Restart times within the last period. */
export class RestartWindow {
  readonly #intensity: number;
  readonly #periodMs: number;
  #times: number[] = [];

  constructor(intensity: number, periodMs: number) {
    this.#intensity = intensity;
    this.#periodMs = periodMs;
  }

  /** Count a restart. Returns false when it is one too many; then it is not counted. */
  admit(nowMs: number): boolean {
    const since = nowMs - this.#periodMs;
    this.#times = this.#times.filter((time) => time >= since);
    if (this.#times.length >= this.#intensity) return false;
    this.#times.push(nowMs);
    return true;
  }
}
