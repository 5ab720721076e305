/** The jobs of a node, as typed. */
import { resolve } from "node:path";
import type { JobSettings } from "@glia-os/daemon";
import { UsageError } from "../errors.ts";

/** As typed. */
export interface JobOptions {
  readonly jobs?: string;
  readonly jobWorkers?: string;
}

/** The settings they stand for; undefined without a module. @throws {UsageError} */
export function jobSettings({ jobs, jobWorkers }: JobOptions): JobSettings | undefined {
  if (jobs === undefined) {
    if (jobWorkers === undefined) return undefined;
    throw new UsageError(
      "--job-workers says how many, and nothing says what",
      "Name a module with --jobs FILE.",
    );
  }
  const module = resolve(jobs);
  if (jobWorkers === undefined) return { module };
  if (/^\d{1,2}$/.test(jobWorkers)) return { module, workers: Number(jobWorkers) };
  throw new UsageError(`--job-workers ${jobWorkers.slice(0, 40)} is no number`, "Give 1 to 32.");
}
