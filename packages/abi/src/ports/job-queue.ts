/**
 * A queue of jobs in front of an engine, whose waiting jobs can be taken out again, so that another node can run them.
 *
 * JQ1. A job that was submitted is settled exactly once: by the engine here, or by whoever took it.
 * JQ2. Only jobs that have not started can be taken, from the tail: the lowest priority first, of equal ones the youngest.
 * JQ3. The queue is bounded; what does not fit is refused, and nothing changed.
 * JQ4. A job that is cancelled is settled with the reason at once: one that waits never starts, the engine is told to stop one that runs.
 */
import type { JobEnvelope } from "./job-engine.ts";

/** A job that was taken out: whoever took it settles it. */
export interface TakenJob {
  readonly job: JobEnvelope;
  readonly priority: number;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** The queue. */
export interface JobQueue {
  /** Jobs that wait. */
  readonly waiting: number;
  /** Jobs that run. */
  readonly running: number;
  /** Jobs that can run at once. */
  readonly slots: number;
  /** Run a job when its turn comes. A higher `priority` (an integer, default 0) goes first. */
  submit(job: JobEnvelope, priority?: number): Promise<unknown>;
  /** Take at most `count` jobs from the tail for which `fits` holds (JQ2). */
  takeTail(count: number, fits?: (job: JobEnvelope) => boolean): readonly TakenJob[];
  /** Cancel the jobs that wait or run here and for which `fits` holds (JQ4). How many there were. */
  cancel(fits: (job: JobEnvelope) => boolean, why: Error): number;
}
