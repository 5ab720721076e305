/**
 * The share of processor time that the hypervisor gave to others, from `/proc/stat` (proc_pid_stat(5), line `cpu`).
 * It counts the whole machine: a run with much of it measured the neighbours.
 */
import { readFileSync } from "node:fs";

/** A run with more than this is not a result. */
export const STEAL_LIMIT_PCT = 10;

/** Processor time since boot, in ticks. */
export interface CpuTimes {
  readonly total: number;
  readonly steal: number;
}

/** `user nice system idle iowait irq softirq steal`; the guest columns after them are part of user and nice already. */
const COLUMNS = 8;
const STEAL_COLUMN = 7;

/** The times in the text of `/proc/stat`, or `undefined` when its first line is not as expected. */
export function parseCpuTimes(text: string): CpuTimes | undefined {
  const match = /^cpu +(\d+(?: \d+)*)/.exec(text);
  const columns = match?.[1]?.split(" ").slice(0, COLUMNS).map(Number);
  if (columns === undefined || columns.length < COLUMNS) return undefined;
  return { total: columns.reduce((sum, ticks) => sum + ticks, 0), steal: columns[STEAL_COLUMN]! };
}

/** The times now; `undefined` where the system does not tell. */
export function readCpuTimes(path = "/proc/stat"): CpuTimes | undefined {
  try {
    return parseCpuTimes(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** Per cent of the time between two readings that was stolen; `null` when a reading is missing. */
export function stealPct(before: CpuTimes | undefined, after: CpuTimes | undefined): number | null {
  if (before === undefined || after === undefined) return null;
  const total = after.total - before.total;
  if (total <= 0) return 0;
  return Math.min(100, Math.max(0, Number(((100 * (after.steal - before.steal)) / total).toFixed(2))));
}
