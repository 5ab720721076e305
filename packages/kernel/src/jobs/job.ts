/**
 * A job: work that waits in a queue for its turn, and may be tried more than once. Each attempt is a task of its own.
 *
 * B1. A job ends once; its outcome never changes. What it was made of is let go of then.
 * B2. `wait` gives the outcome before or after the end, to any number of waiters.
 */
import type { Budget } from "../fair-share/budget.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import type { RetryOptions } from "../retry/backoff.ts";
import type { Gift, Sys } from "../sys.ts";
import type { Exit } from "../task.ts";

/** What a job is told about the attempt. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  readonly payload: unknown;
}

/** What can be submitted. */
export interface SchedulableJob<Result = unknown> {
  /** For people, at most 128 characters. */
  readonly name?: string;
  /** Data for the attempts; hashed when the job has an idempotency key, then plain data of at most 1,048,576 characters. */
  readonly payload?: unknown;
  /** Handles of the shell that each attempt gets. */
  readonly give?: readonly Gift[];
  /** How much of its queue's share it takes, 0.01 to 100,000, default 1; on a queue that measures, only until it is measured. */
  readonly cost?: number;
  /** Milliseconds from the submission to the end of the last attempt. */
  readonly deadlineMs?: number;
  /** Whether failed attempts are repeated. Default: they are not. */
  readonly retry?: RetryOptions;
  /** 1 to 256 characters. A second job with the same key, queue and payload is the first one. */
  readonly idempotencyKey?: string;
  /** The span that the spans of its attempts are parts of (W3C). Default: that of the task that submits it, if one does. */
  readonly traceparent?: string;
  /** Limits all attempts of this job. */
  readonly budget?: Budget;
  /** One attempt. */
  run(sys: Sys, attempt: Attempt, ...given: Handle[]): Routine<Result>;
}

/** How far a job is. `backing-off` waits for its next attempt. `cancelled` covers killed jobs; the outcome tells which. */
export type JobState = "queued" | "running" | "backing-off" | "finished" | "failed" | "cancelled";

/** A submitted job. */
export interface JobHandle<Result = unknown> {
  /** From 1, per scheduler. */
  readonly id: number;
  readonly queue: string;
  readonly name: string;
  readonly state: JobState;
  /** Attempts that were started. */
  readonly attempts: number;
  /** What the last failed attempt failed with. */
  readonly lastError: unknown;
  /** How it ended; undefined before. */
  readonly outcome: Exit<Result> | undefined;

  /** Wait for the end, from inside a task. Failures are in the outcome. */
  wait(sys: Sys): Routine<Exit<Result>>;

  /** Hear of the end, from outside; at once when it has ended. The listener must not throw. */
  onEnd(listener: (outcome: Exit<Result>) => void): void;

  /**
   * Ask it to end. One that waits ends at once; one that runs gets `TaskCancelledError` and is not tried again. Returns whether it had
   * not ended yet.
   */
  cancel(reason?: unknown): boolean;

  /** End it now; a running attempt is unwound before any ordinary task runs. Returns whether it had not ended yet. */
  kill(reason?: unknown): boolean;
}

/** Whether a job has ended. */
export function hasEnded(state: JobState): boolean {
  return state === "finished" || state === "failed" || state === "cancelled";
}
