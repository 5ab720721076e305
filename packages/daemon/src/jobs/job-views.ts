/** Jobs as those who submit them see them: plain data, as JSON has it (docs/spec/job-protocol.md). */
import type { ErrorRecord } from "@glia-os/abi/errors";

/** `pending`: it waits or runs, here or on another node. The others are ends. */
export type JobState = "pending" | "succeeded" | "failed" | "cancelled" | "expired";

/** Every state. */
export const JOB_STATES: readonly JobState[] = ["pending", "succeeded", "failed", "cancelled", "expired"];

/** A job to be done, at least once, by the node that accepts it or by others. */
export interface JobSubmission {
  /** The exported function of the node's module of jobs. */
  readonly entry: string;
  /** What it is called with: JSON of at most 1 MiB. */
  readonly payload: unknown;
  /** Names the work: the same key with the same entry and payload is the same job. 1 to 128 printable characters. */
  readonly key?: string;
  /** Higher ones start first: -1,000,000 to 1,000,000. Default 0. */
  readonly priority?: number;
  /** Ids of the jobs this one came from: at most 64. */
  readonly lineage?: readonly string[];
  /** How long the result is wanted, from acceptance on: 1 to 604,800,000 ms. Default: for ever. */
  readonly deadlineMs?: number;
  /** The span this job belongs to (W3C Trace Context). */
  readonly traceparent?: string;
}

/** An accepted job. Times are ms since 1970 on the clock of the node that accepted it. */
export interface JobView {
  /** 32 hexadecimal digits; with a key always the same ones. The function is called with it, the same in every attempt. */
  readonly id: string;
  readonly key?: string;
  readonly entry: string;
  readonly priority: number;
  readonly state: JobState;
  /** How often the accepting node has begun it: 1, and one more for each of its restarts. */
  readonly attempt: number;
  /** Grows with every change of this view. */
  readonly version: number;
  readonly acceptedMs: number;
  readonly endedMs?: number;
  readonly deadlineMs?: number;
  /** What it returned, when it succeeded. Left out in lists. */
  readonly result?: unknown;
  /** Why it has no result, when it ended otherwise. */
  readonly error?: ErrorRecord;
}

/** Which jobs are listed, in the order they were accepted. */
export interface JobFilter {
  readonly state?: JobState;
  /** Those accepted after this one. */
  readonly after?: string;
  /** 1 to 1000. Default 100. */
  readonly limit?: number;
}
