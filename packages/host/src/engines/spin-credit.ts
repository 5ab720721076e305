/**
 * Whether looking again and again for a moment is worth it, before sleeping on something that another thread will do soon.
 *
 * Waking a thread costs 3 to 20 us of latency, as much as many jobs take.
 *
 * N1. A look that finds something is followed by others. One that finds nothing costs twice as many passed chances as the last, up to 64: who
 *     waits for long jobs, or is idle, spends at most 1 in 65 chances looking.
 */

/** Passed chances after many looks in vain. */
const MOST_PASSED = 64;

/** Tell the processor that this thread only looks. Node 24 and later have it; the types do not yet. */
export const pause: () => void = (Atomics as unknown as { pause(): void }).pause;

/** The memory of one thread. */
export class SpinCredit {
  /** Longest look in milliseconds; 0: never look. */
  readonly longestMs: number;
  #passed = 0;
  #pass = 0;

  constructor(longestMs: number) {
    this.longestMs = longestMs;
  }

  /** Whether to look this time. Counts as a chance. */
  allowed(): boolean {
    if (this.longestMs === 0) return false;
    if (this.#passed >= this.#pass) return true;
    this.#passed++;
    return false;
  }

  found(): void {
    this.#pass = 0;
    this.#passed = 0;
  }

  missed(): void {
    this.#pass = Math.min(MOST_PASSED, Math.max(1, 2 * this.#pass));
    this.#passed = 0;
  }
}
