/** Durable jobs as a part of {@link NodeApi}: what the threads of a node and its control socket carry. */
import type { Remote } from "../thread-call.ts";
import type { JobFilter, JobSubmission, JobView } from "./job-views.ts";

/** A part of {@link NodeApi}. */
export interface JobApi {
  /**
   * Accept a job: it is on this node's disk when this resolves, and is run at least once, also after restarts of this node. The same key with the
   * same work is the same job. @throws `daemon.no-jobs`, `daemon.job-malformed`, `daemon.job-key-reused`, `daemon.jobs-full`.
   */
  acceptJob(job: JobSubmission): Promise<JobView>;
  /** A job as it stands. @throws `daemon.job-unknown`. */
  job(id: string): Promise<JobView>;
  /** A job once its version is above `after`, or as it stands after `timeoutMs` (0 to 60,000). @throws `daemon.job-unknown`. */
  jobChange(id: string, after: number, timeoutMs: number): Promise<JobView>;
  /** Jobs this node accepted, without results, in the order it did. */
  listJobs(filter?: JobFilter): Promise<readonly JobView[]>;
  /**
   * Give a job up: one that waits never starts, and one that runs is stopped, here and on other nodes. Resolves when the end is on disk, which
   * may be a moment before a thread elsewhere has ended. One that has ended stays as it is. @throws `daemon.job-unknown`.
   */
  cancelJob(id: string): Promise<JobView>;
}

/** The methods, by name. */
export const JOB_METHODS: readonly (keyof JobApi)[] = [
  "acceptJob",
  "job",
  "jobChange",
  "listJobs",
  "cancelJob",
];

/** The face of the jobs on another thread. */
export function jobFace(mesh: Remote<JobApi>): JobApi {
  return {
    acceptJob: (job) => mesh.acceptJob(job),
    job: (id) => mesh.job(id),
    jobChange: (id, after, timeoutMs) => mesh.jobChange(id, after, timeoutMs),
    listJobs: (filter) => mesh.listJobs(filter),
    cancelJob: (id) => mesh.cancelJob(id),
  };
}
