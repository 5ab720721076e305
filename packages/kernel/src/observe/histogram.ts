/**
 * Observations gathered by bucket, and handed to a meter now and then.
 *
 * H1. Recording allocates nothing and calls nothing.
 * H2. A meter gets, per bucket, one value inside it as many times as there were observations: their mean. So for a meter with these
 *     bounds, or a part of them, every bucket and the count are exact, and the sum is up to rounding.
 */
import type { Meter } from "@glia-os/abi/ports";

/** Upper bounds of buckets in seconds: the figures of the seed systems' task histograms. */
export const HISTOGRAM_BOUNDS: readonly number[] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2];

const BUCKETS = HISTOGRAM_BOUNDS.length + 1;

/** One histogram. */
export class Histogram {
  readonly #name: string;
  readonly #counts: Float64Array = new Float64Array(BUCKETS);
  readonly #sums: Float64Array = new Float64Array(BUCKETS);
  readonly #highest: Float64Array = new Float64Array(BUCKETS);
  #fresh = false;

  /** `name` as in docs/spec/metrics.md. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Record an observation in seconds. O(buckets). */
  record(seconds: number): void {
    let at = 0;
    while (at < HISTOGRAM_BOUNDS.length && seconds > HISTOGRAM_BOUNDS[at]!) at++;
    this.#counts[at]!++;
    this.#sums[at]! += seconds;
    if (seconds > this.#highest[at]!) this.#highest[at] = seconds;
    this.#fresh = true;
  }

  /** Hand over what was recorded since the last time (H2). */
  publish(meter: Meter): void {
    if (!this.#fresh) return;
    this.#fresh = false;
    for (let at = 0; at < BUCKETS; at++) {
      const count = this.#counts[at]!;
      if (count > 0) meter.observe(this.#name, this.#valueIn(at), undefined, count);
    }
    this.#counts.fill(0);
    this.#sums.fill(0);
    this.#highest.fill(0);
  }

  /** The mean of a bucket. Rounding must not carry it out of the bucket. */
  #valueIn(at: number): number {
    const highest = this.#highest[at]!;
    const mean = Math.min(this.#sums[at]! / this.#counts[at]!, highest);
    return at > 0 && mean <= HISTOGRAM_BOUNDS[at - 1]! ? highest : mean;
  }
}
