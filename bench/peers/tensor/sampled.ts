/**
 * How a contestant of the suite `tensor` takes a sample of its own: microseconds of one operation.
 *
 * SA1. A sample is the shortest of the batches that run within some tens of milliseconds; a batch is as many operations as take a
 *      millisecond. What others do on the machine meanwhile makes batches longer, never shorter. `numpy_ops.py` does the same.
 * SA2. Where contestants run at the same time and share a resource, a sample is the mean instead: the shortest would be that of a
 *      moment in which the other did not run.
 */
import type { Contestant } from "../../src/suite.ts";

const SAMPLE_MS = 120;
const BATCH_MS = 1;
/** So long everything runs before the first sample: the engine compiles hot code again meanwhile. */
const WARM_UP_MS = 400;

/** How batches become a sample (SA1, SA2). */
export type Sampling = "shortest" | "mean";

/** A contestant that does an operation again and again. */
export function sampled(operation: () => void, sampling: Sampling = "shortest"): Contestant {
  let batch = 1;
  const sample = (forMs: number): number => {
    let shortest = Number.POSITIVE_INFINITY;
    let done = 0;
    const begun = performance.now();
    for (let last = begun; ; ) {
      for (let i = 0; i < batch; i++) operation();
      const now = performance.now();
      done += batch;
      if (now - last < BATCH_MS) batch *= 2;
      else shortest = Math.min(shortest, (now - last) / batch);
      last = now;
      if (now - begun < forMs || shortest === Number.POSITIVE_INFINITY) continue;
      return 1000 * (sampling === "mean" ? (now - begun) / done : shortest);
    }
  };
  sample(WARM_UP_MS);
  return { value: () => sample(SAMPLE_MS) };
}

/** The same of an operation that is awaited, each of which is a batch. */
export async function sampledLater(operation: () => Promise<void>): Promise<Contestant> {
  const sample = async (forMs: number): Promise<number> => {
    let shortest = Number.POSITIVE_INFINITY;
    const begun = performance.now();
    for (let last = begun; last - begun < forMs; ) {
      await operation();
      const now = performance.now();
      shortest = Math.min(shortest, now - last);
      last = now;
    }
    return 1000 * shortest;
  };
  await sample(WARM_UP_MS);
  return { value: () => sample(SAMPLE_MS) };
}
