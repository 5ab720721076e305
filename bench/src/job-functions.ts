/** The functions that the pools of `suites/jobs.ts` run, each in its worker threads. */
import type { JobContext } from "@glia-os/host";

export function double(payload: number): number {
  return 2 * payload;
}

/** About a tenth of a millisecond of arithmetic. */
export function grind(payload: number): number {
  let sum = payload;
  for (let i = 0; i < 100_000; i++) sum = (sum * 31 + i) | 0;
  return sum;
}

/** Hands on `payload` jobs, which all lie in the queue of the worker that runs this one. */
export function load(payload: number, context: JobContext): number {
  for (let i = 0; i < payload; i++) context.handOn("grind", i);
  return payload;
}
