/** A run that compares a mesh with serf, and whether it says what is claimed. */
import type { Detection, machineFacts } from "./kills.ts";

/** Most that the median over kills of the time until all know may be, as a multiple of serf's. */
export const RATIO_MAX = 1.1;

/** A comparison. */
export interface Comparison {
  readonly format: 1;
  /** ISO 8601, UTC. */
  readonly date: string;
  readonly size: number;
  readonly serfVersion: string;
  readonly machine: ReturnType<typeof machineFacts>;
  readonly glia: Detection;
  readonly serf: Detection;
}

/** The middle of a list; the mean of the two middle ones when it is even; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The median over kills of the time until the first or all others knew, in milliseconds. */
export function medianOf({ kills }: Detection, of: "firstMs" | "allMs"): number {
  return median(kills.map((kill) => kill[of]));
}

/** What is wrong with a comparison: nothing when it shows what is claimed. */
export function faultsOf({ size, glia, serf }: Comparison): readonly string[] {
  const faults: string[] = [];
  const ratio = medianOf(glia, "allMs") / medianOf(serf, "allMs");
  if (!(ratio <= RATIO_MAX)) faults.push(`all members knew after ${ratio.toFixed(2)} times serf's time`);
  if (glia.falsePositives > 0)
    faults.push(`${glia.falsePositives} times a running member was said to be dead`);
  for (const [i, { heard }] of glia.kills.entries())
    if (heard !== size - 1 - i) faults.push(`kill ${i + 1} was heard by ${heard} of ${size - 1 - i}`);
  return faults;
}
