/**
 * How much fuel a turn gets, so that it takes about the time it should on this machine.
 *
 * Q1. A turn of a pre-emptive guest aims at 1 ms when few are ready, and at less when many are, so that a round of equal weights
 *     stays near 10 ms; never below 0.1 ms, where stopping and going on would cost percents.
 * Q2. Fuel per millisecond is learned per program from turns that used their slice up. It starts low, at most doubles from one turn
 *     to the next and falls at once: a program whose fuel is slow holds the thread for one long turn at most.
 * Q3. Time decides only where a guest is stopped, never what it computes (docs/spec/fuel.md).
 */
const ROUND_MS = 10;
const LEAST_MS = 0.1;
const MOST_MS = 1;
/** Fuel of a millisecond for a program nobody has timed: low for compiled code, which gets to 3 to 20 million. */
const FIRST_FUEL_PER_MS = 250_000;
const LEAST_FUEL = 1_000;
const MOST_FUEL = 1_000_000_000;
/** Shorter turns are within the noise of the clock. */
const LEAST_TIMED_MS = 0.02;
const SMOOTHING = 0.25;

/** Milliseconds a turn should take when `ready` guests wait. */
export function turnMs(ready: number): number {
  return Math.max(LEAST_MS, Math.min(MOST_MS, ROUND_MS / Math.max(1, ready)));
}

/** The slice of one program. */
export class Quantum {
  #fuelPerMs = FIRST_FUEL_PER_MS;

  /** Fuel for a turn while `ready` guests wait. */
  slice(ready: number): number {
    const fuel = Math.round(this.#fuelPerMs * turnMs(ready));
    return Math.max(LEAST_FUEL, Math.min(MOST_FUEL, fuel));
  }

  /** A turn used up `fuel` in `ms`. */
  learn(fuel: number, ms: number): void {
    if (fuel <= 0 || ms < LEAST_TIMED_MS) return;
    const seen = fuel / ms;
    if (seen < this.#fuelPerMs / 2) this.#fuelPerMs = seen;
    else this.#fuelPerMs += SMOOTHING * (Math.min(seen, 4 * this.#fuelPerMs) - this.#fuelPerMs);
  }
}
