/**
 * Engines run jobs beside the kernel: in this thread, in other threads or in other processes. A job is data: it can be queued, stolen by
 * another worker, and started again when its worker dies.
 *
 * J1. A job that was taken is settled exactly once: with its result, or with an error. Until then it runs at least once.
 * J2. A job that is not plain data is refused before it is queued; the payload is copied, so later changes by the caller do not matter.
 * J3. A worker that dies loses no job: what it ran is started again, up to the engine's bound on attempts, then refused as lost.
 * J4. Everything is bounded: jobs in flight, bytes of a payload, attempts, time.
 * J5. `close` takes no more jobs, lets those it has finish for as long as it is told to, refuses what is then not settled, each by a typed
 *     error, and leaves no worker behind.
 */
import type { CancelSignal } from "./cancel-signal.ts";

/** A job as data. */
export interface JobEnvelope {
  /** Names the job to people and to whoever counts attempts: 1 to 128 characters. */
  readonly id: string;
  /** Who asked first, such as a node's id: 1 to 128 characters. */
  readonly origin: string;
  /** Ids of the jobs this one came from, oldest first: at most 64 of 1 to 128 characters. */
  readonly lineage: readonly string[];
  /** The function that runs it: 1 to 128 of the characters `A-Z a-z 0-9 _ $ . : / -`. */
  readonly entry: string;
  /** What the function is called with: plain data. */
  readonly payload: unknown;
  /** The span this job belongs to, as text of W3C Trace Context. It goes with the job to other nodes; engines do not look at it. */
  readonly traceparent?: string;
}

/** Counts since the engine was made. */
export interface JobEngineStats {
  /** Workers at present. */
  readonly workers: number;
  /** Jobs that are not settled. */
  readonly inFlight: number;
  /** Jobs settled with a result. */
  readonly finished: number;
  /** Jobs settled with an error. */
  readonly failed: number;
  /** Jobs started again because their worker died (J3). */
  readonly restarted: number;
  /** Workers that died and were replaced. */
  readonly workersLost: number;
}

/** How an engine is closed. */
export interface JobEngineClose {
  /**
   * Longest time in milliseconds for the jobs that were taken to finish, and for those they hand on: 0 to 2,147,483,647; default 0, which is
   * at once. The engine ends earlier when nothing is left.
   */
  readonly drainMs?: number;
}

/** Runs jobs. */
export interface JobEngine {
  /** For example `threaded`. */
  readonly kind: string;
  /**
   * Run a job. Rejects with what the job threw, as data, or with the engine's refusal. When `cancel` fires, a job that waits never
   * starts and one that runs is stopped where the engine can stop it.
   */
  run<Result = unknown>(job: JobEnvelope, cancel?: CancelSignal): Promise<Result>;
  stats(): JobEngineStats;
  /** Stop (J5). Idempotent; a later call may cut the time that an earlier one left. */
  close(options?: JobEngineClose): Promise<void>;
}
