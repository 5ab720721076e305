/** Contract suites for implementations of the ports that the host serves. */
import * as jobs from "./contract-jobs.ts";

export type { ContractCase, ContractOptions, MakeJobEngine } from "./contract-case.ts";
export { jobEngineContract } from "./job-engine-contract.ts";

/** The functions that the contract runs. */
export const contractJobs: typeof jobs = jobs;

/** Their module, for engines that load one. */
export const contractJobsModule: URL = new URL(
  import.meta.url.endsWith(".ts") ? "./contract-jobs.ts" : "./contract-jobs.js",
  import.meta.url,
);
