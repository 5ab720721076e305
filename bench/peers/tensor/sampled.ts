/** How a contestant of the suite `tensor` takes a sample of its own: it needs as many operations as make the sample long enough. */
import type { Contestant } from "../../src/suite.ts";

/** Long enough that reading the clock and a late start do not show. */
const LEAST_MS = 40;
/** Operations of less than this are run in batches between looks at the clock. */
const BATCH_MS = 1;
/** So long everything runs before the first sample: the engine compiles hot code again meanwhile. */
const WARM_UP_MS = 400;

/** Microseconds of one operation, over some tens of milliseconds. */
export function sampled(operation: () => void): Contestant {
  let batch = 1;
  const sample = (leastMs: number): number => {
    const begun = performance.now();
    for (let done = 0; ; ) {
      const before = performance.now();
      for (let i = 0; i < batch; i++) operation();
      done += batch;
      const now = performance.now();
      if (now - before < BATCH_MS) batch *= 2;
      if (now - begun >= leastMs) return ((now - begun) / done) * 1000;
    }
  };
  sample(WARM_UP_MS);
  return { value: () => sample(LEAST_MS) };
}

/** The same of an operation that is awaited. */
export async function sampledLater(operation: () => Promise<void>): Promise<Contestant> {
  const sample = async (leastMs: number): Promise<number> => {
    const begun = performance.now();
    for (let done = 1; ; done++) {
      await operation();
      const spent = performance.now() - begun;
      if (spent >= leastMs) return (spent / done) * 1000;
    }
  };
  await sample(WARM_UP_MS);
  return { value: () => sample(LEAST_MS) };
}
