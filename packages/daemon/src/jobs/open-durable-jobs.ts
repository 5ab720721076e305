/** The durable jobs of a node, taken up where its data folder holds some. */
import type { Clock, Logger, Meter, Timers, Tracer } from "@glia-os/abi/ports";
import { NoJobsError } from "../errors.ts";
import type { NodeJobs } from "../node-jobs.ts";
import { DurableJobs } from "./durable-jobs.ts";
import type { JobApi } from "./job-api.ts";
import { createSqliteLedger } from "./job-ledger.ts";

/** What it takes. */
export interface OpenDurableJobs {
  /** Absent on a node without jobs. */
  readonly jobs: NodeJobs | undefined;
  /** Where the jobs are kept. */
  readonly file: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer | undefined;
}

/** Open them; call `stop` before the mesh ends. @throws what the store refuses. */
export async function openDurableJobs(
  options: OpenDurableJobs,
): Promise<JobApi & { readonly stop?: () => Promise<void> }> {
  const { jobs, file, ...parts } = options;
  if (jobs === undefined) return NO_JOBS;
  const durable = new DurableJobs({
    ...parts,
    ledger: createSqliteLedger(file),
    run: (job) => jobs.submit(job),
    cancel: (id) => jobs.cancel(id),
  });
  await durable.open();
  return durable;
}

const refuse = (): Promise<never> => Promise.reject(new NoJobsError());

const NO_JOBS: JobApi = {
  acceptJob: refuse,
  job: refuse,
  jobChange: refuse,
  listJobs: refuse,
  cancelJob: refuse,
};
