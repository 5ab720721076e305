/**
 * How programs outside give jobs to a node: one port, whatever it is spoken over (docs/spec/job-protocol.md). Implemented by a node itself, by
 * the clients of JSON-RPC and gRPC, and by whoever adds a face; `testing/job-protocol-contract.ts` says what holds for all.
 *
 * JP1. `submit` resolves when the job is durable at the node. The same key with the same entry and payload gives the same job; with another
 *      it is refused and nothing changed.
 * JP2. `wait` and `watch` end with the end of the job; a job ends once, and its end does not change.
 * JP3. Every refusal is a `GliaError` (from afar: a `RemoteError`) with the code of its cause.
 */

import { checkWait } from "./check-submission.ts";
import type { JobApi } from "./job-api.ts";
import type { JobFilter, JobSubmission, JobView } from "./job-views.ts";

/** Longest time of one `wait`, in milliseconds. */
export const WAIT_MAX_MS = 60_000;

/** Jobs of one node. */
export interface JobProtocol {
  /** (JP1) */
  submit(job: JobSubmission): Promise<JobView>;
  status(id: string): Promise<JobView>;
  /** The job when it has ended, or as it stands after `timeoutMs` (0 to 60,000). */
  wait(id: string, timeoutMs: number): Promise<JobView>;
  list(filter?: JobFilter): Promise<readonly JobView[]>;
  cancel(id: string): Promise<JobView>;
  /**
   * The job as it stands, and again after each change, until it has ended or `signal` fires. What changes in quick succession may be left out, never
   * the end.
   */
  watch(id: string, signal?: AbortSignal): AsyncIterable<JobView>;
}

/** The protocol over a node, in this process or over its control socket. */
export function jobProtocolOver(node: JobApi): JobProtocol {
  return {
    submit: (job) => node.acceptJob(job),
    status: (id) => node.job(id),
    list: (filter) => node.listJobs(filter),
    cancel: (id) => node.cancelJob(id),
    async wait(id, timeoutMs) {
      checkWait(timeoutMs);
      const untilMs = performance.now() + timeoutMs;
      let view = await node.job(id);
      while (view.state === "pending") {
        const leftMs = Math.floor(untilMs - performance.now());
        if (leftMs <= 0) break;
        view = await node.jobChange(id, view.version, leftMs);
      }
      return view;
    },
    async *watch(id, signal) {
      let view = await node.job(id);
      yield view;
      while (view.state === "pending" && signal?.aborted !== true) {
        const next = await node.jobChange(id, view.version, WAIT_MAX_MS);
        if (next.version > view.version) yield next;
        view = next;
      }
    },
  };
}
