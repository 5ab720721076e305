/**
 * Local health (Lifeguard, Dadgar et al. 2017, section IV.A): a node that seems slow itself accuses others more slowly.
 * The score goes from 0 (well) to `max - 1`; the probe interval is multiplied by score + 1.
 */
export class Awareness {
  readonly #max: number;
  #score = 0;
  #floor = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** 0 is well. */
  get score(): number {
    return Math.max(this.#score, this.#floor);
  }

  /** The least the score may be: what something outside of the failure detector knows of this node. Cut to the range of the score. */
  set floor(score: number) {
    this.#floor = Math.max(0, Math.min(this.#max - 1, score));
  }

  /** Better for negative, worse for positive `delta`. */
  adjust(delta: number): void {
    this.#score = Math.max(0, Math.min(this.#max - 1, this.#score + delta));
  }
}
