/** One run of a suite. */
import { commitOf, machineFacts } from "./machine.ts";
import { type Effort, measureRows } from "./measure.ts";
import { BenchRefusal } from "./refusal.ts";
import type { BenchResult } from "./result.ts";
import { readCpuTimes, stealPct } from "./steal.ts";
import type { Suite } from "./suite.ts";

/** What a run is. */
export interface RunOptions {
  readonly effort: Effort;
  readonly quick: boolean;
  /** A folder of the working tree that is measured. */
  readonly tree: string;
  /** Told what is being measured. */
  readonly report: (line: string) => void;
}

/** Measure every row of a suite. */
export async function runSuite(name: string, suite: Suite, options: RunOptions): Promise<BenchResult> {
  const date = new Date().toISOString();
  const facts = machineFacts();
  const commit = commitOf(options.tree);
  const before = readCpuTimes();
  const { rows, calibration, missing } = await measureRows(suite.rows, options.effort, options.report);
  refuseFastFlush(suite, calibration["fdatasyncUs"] as number);
  const machine = { ...facts, stealPct: stealPct(before, readCpuTimes()) };
  return {
    name,
    date,
    commit,
    machine,
    calibration,
    missing,
    rows,
    ...(options.quick ? { quick: true } : {}),
  };
}

/** @throws {BenchRefusal} for a disk on which fdatasync is faster than any flush is. */
export function refuseFastFlush({ leastFdatasyncUs = 0 }: Suite, fdatasyncUs: number): void {
  if (fdatasyncUs >= leastFdatasyncUs) return;
  throw new BenchRefusal(
    `fdatasync took ${fdatasyncUs} us here, less than ${leastFdatasyncUs} us: nothing is flushed. Set TMPDIR to a folder on a disk.`,
    1,
  );
}
