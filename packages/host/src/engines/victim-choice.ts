/**
 * Whom a worker without jobs robs, and in which order: random, with a memory of who had something.
 *
 * V1. A round offers every other worker once.
 * V2. Who gave something last comes first in the next round. After two rounds in which it had nothing it is one of many again.
 * V3. The others come in an order given by a random start and a random step without common divisor with their number (the walk of Go's
 *     scheduler): every worker is as likely as any other to come first, so thieves spread.
 */

/** Rounds without success after which a victim is no longer preferred. */
const PATIENCE = 2;

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/** The choice of one worker. */
export class VictimChoice {
  readonly #workers: number;
  readonly #self: number;
  readonly #draw: (n: number) => number;
  /** Steps that visit all others (V3). */
  readonly #steps: readonly number[];
  #preferred = -1;
  #misses = 0;
  #first = -1;
  #at = 0;
  #step = 1;
  #left = 0;

  /** `draw(n)` gives a number in [0, n), each as likely. */
  constructor(workers: number, self: number, draw: (n: number) => number) {
    this.#workers = workers;
    this.#self = self;
    this.#draw = draw;
    const others = workers - 1;
    this.#steps = Array.from({ length: Math.max(1, others) }, (_, i) => i + 1).filter(
      (step) => commonDivisor(step, others) === 1,
    );
  }

  /** Begin a round. */
  begin(): void {
    const others = this.#workers - 1;
    this.#first = this.#preferred;
    this.#left = others;
    if (others === 0) return;
    this.#at = this.#draw(others);
    this.#step = this.#steps[this.#draw(this.#steps.length)]!;
  }

  /** The next victim of the round; -1 when all were offered. O(1). */
  next(): number {
    if (this.#first >= 0) {
      const victim = this.#first;
      this.#first = -1;
      return victim;
    }
    while (this.#left > 0) {
      this.#left--;
      const other = this.#at;
      this.#at = (other + this.#step) % (this.#workers - 1);
      const victim = other < this.#self ? other : other + 1;
      if (victim !== this.#preferred) return victim;
    }
    return -1;
  }

  /** The victim had something: it ends the round. */
  paid(victim: number): void {
    this.#preferred = victim;
    this.#misses = 0;
  }

  /** The round found nothing. */
  missed(): void {
    if (this.#preferred >= 0 && ++this.#misses >= PATIENCE) this.#preferred = -1;
  }
}
