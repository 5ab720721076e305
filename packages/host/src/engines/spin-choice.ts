/**
 * Whether the threads of an engine look again and again for a moment before they sleep, or sleep at once.
 *
 * Waking a thread costs 3 to 20 us of latency, as much as many jobs take; but a thread that looks on a busy processor keeps the one it waits
 * for from running there. Which is better depends on the jobs and on the machine of this moment, so both are tried.
 *
 * N1. Looking is chosen only while results came at least a fifth sooner by it. Where it makes no difference, as for long jobs, threads sleep.
 *     Compared are means of logarithms, over some 32 waits: one that took ten times as long, as when another program ran, counts little.
 * N2. The other way is tried for 192 waits, first after 64 and then, each time that it is not better, after twice as many, up to 8192: in the
 *     end 1 wait in 44 is part of a trial. All threads of an engine change together: one that looks for one that sleeps says nothing about
 *     two that look.
 */

/** How much sooner looking must give results, as a logarithm. */
const GAIN = Math.log(0.8);
/** A shorter wait counts as this, in milliseconds. */
const LEAST_MS = 0.0005;
/** Waits before the first trial of a choice, and most between two trials. */
const FIRST_TRIAL = 64;
const LAST_TRIAL = 8192;
/** Waits of a trial, and those at its begin that do not count: the system has yet to give each thread a processor of its own. */
const TRIAL = 192;
const UNCOUNTED = 64;
/** Weight of one wait in a mean. */
const WEIGHT = 1 / 32;
/** A longer wait counts as this many longest looks: somebody else had the processor. */
export const LONGEST_COUNTED = 10;

/** Tell the processor that this thread only looks. Node 24 and later have it; the types do not yet. */
export const pause: () => void = (Atomics as unknown as { pause(): void }).pause;

/** The choice of one engine, made by its main thread. */
export class SpinChoice {
  readonly #longestMs: number;
  readonly #changed: (looking: boolean) => void;
  #looking: boolean;
  /** Means of the logarithms of waits in milliseconds; NaN before the first. */
  #lookingLog = Number.NaN;
  #sleepingLog = Number.NaN;
  /** Waits left of the trial that runs; 0: none does. */
  #trial = 0;
  #untilTrial = FIRST_TRIAL;
  #between = FIRST_TRIAL;

  /** `longestMs` 0: never look. `changed` is told the choice now and at each change. */
  constructor(longestMs: number, changed: (looking: boolean) => void) {
    this.#longestMs = longestMs;
    this.#changed = changed;
    this.#looking = longestMs > 0;
    changed(this.#looking);
  }

  /** Whether to look this time. */
  get looking(): boolean {
    return this.#looking;
  }

  /** Results came after a wait of so many milliseconds. O(1). */
  waited(ms: number): void {
    if (this.#longestMs === 0) return;
    if (this.#trial > TRIAL - UNCOUNTED) this.#trial--;
    else this.#count(Math.min(ms, LONGEST_COUNTED * this.#longestMs));
  }

  #count(ms: number): void {
    const wait = Math.log(Math.max(ms, LEAST_MS));
    if (this.#looking) this.#lookingLog = mean(this.#lookingLog, wait);
    else this.#sleepingLog = mean(this.#sleepingLog, wait);
    if (this.#trial > 0) {
      if (--this.#trial === 0) this.#decide(this.#looking);
    } else if (--this.#untilTrial <= 0) {
      this.#trial = TRIAL;
      this.#set(!this.#looking);
    }
  }

  #decide(tried: boolean): void {
    const looking = this.#lookingLog < GAIN + this.#sleepingLog;
    this.#between = looking === tried ? FIRST_TRIAL : Math.min(LAST_TRIAL, 2 * this.#between);
    this.#untilTrial = this.#between;
    this.#set(looking);
  }

  #set(looking: boolean): void {
    if (looking === this.#looking) return;
    this.#looking = looking;
    this.#changed(looking);
  }
}

function mean(before: number, value: number): number {
  return Number.isNaN(before) ? value : before + WEIGHT * (value - before);
}
