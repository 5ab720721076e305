/**
 * Makes a failing list small: delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
 *
 * SH1. The result fails, and is a sublist of the input in its order.
 * SH2. When the budget of runs was not used up, no single element can be left out of the result (1-minimal).
 */
import { LIMIT_MAX, SHRINK_RUNS, whole } from "./limits.ts";

/** What shrinking came to. */
export interface Shrunk<Item> {
  readonly items: readonly Item[];
  /** Times the check was asked. */
  readonly runs: number;
  /** Whether the budget sufficed, so that SH2 holds. */
  readonly minimal: boolean;
}

/**
 * Leave elements out of a failing list as long as it fails. `fails` must be a function of the list alone, and true for `items`, which is
 * not asked again. O(n^2) calls at worst. @throws {BadOptionError}
 */
export function shrinkList<Item>(
  items: readonly Item[],
  fails: (items: readonly Item[]) => boolean,
  runsMax: number = SHRINK_RUNS,
): Shrunk<Item> {
  whole("runsMax", runsMax, 0, LIMIT_MAX);
  let current = items;
  let runs = 0;
  let pieces = 1;
  while (current.length > 0) {
    const size = Math.ceil(current.length / pieces);
    let smaller: readonly Item[] | undefined;
    for (let from = 0; from < current.length && smaller === undefined; from += size) {
      if (runs >= runsMax) return { items: current, runs, minimal: false };
      const rest = [...current.slice(0, from), ...current.slice(from + size)];
      runs++;
      if (fails(rest)) smaller = rest;
    }
    if (smaller !== undefined) {
      current = smaller;
      pieces = Math.max(pieces - 1, 1);
    } else if (size === 1) break;
    else pieces = Math.min(pieces * 2, current.length);
  }
  return { items: current, runs, minimal: true };
}
