/**
 * Ending the work of a scheduler in good order.
 *
 * DR1. From its begin on nothing more is taken, from outside or from tasks that wait for room.
 * DR2. Jobs that wait, back off or run go on to their ends, retries included, in the same order and shares as before.
 * DR3. At its deadline what has not ended is cancelled, and killed when it still lives after the scheduler's grace time. A drain ends when
 *      no job lives, once; its report counts both.
 */
import type { Kernel } from "../kernel.ts";
import type { Routine } from "../operation.ts";
import type { Sys } from "../sys.ts";
import type { JobRecord } from "./job-record.ts";

/** How a drain went. */
export interface DrainReport {
  /** Jobs that lived at its begin and ended before its deadline. */
  readonly ended: number;
  /** Jobs that were cancelled at the deadline. */
  readonly cancelled: number;
}

/** A drain that was begun. */
export interface Drain {
  /** How it went; undefined before its end. */
  readonly report: DrainReport | undefined;

  /** Wait for its end, from inside a task. */
  wait(sys: Sys): Routine<DrainReport>;

  /** Hear of its end, from outside; at once when it has ended. The listener must not throw. */
  onEnd(listener: (report: DrainReport) => void): void;
}

/** A drain as its scheduler keeps it. Internal. */
export class DrainRecord implements Drain {
  report: DrainReport | undefined = undefined;
  cancelled = 0;
  readonly #kernel: Kernel;
  readonly #jobs: number;
  #listeners: ((report: DrainReport) => void)[] = [];

  constructor(kernel: Kernel, jobs: number) {
    this.#kernel = kernel;
    this.#jobs = jobs;
  }

  *wait(sys: Sys): Routine<DrainReport> {
    if (this.report === undefined) yield* sys.waitOn(this);
    return this.report!;
  }

  onEnd(listener: (report: DrainReport) => void): void {
    if (this.report === undefined) this.#listeners.push(listener);
    else listener(this.report);
  }

  /** The deadline has come for a job. */
  cancel(job: JobRecord): void {
    if (job.stopping) return;
    this.cancelled++;
    job.cancel("drained");
  }

  /** No job lives any more (DR3). */
  end(complain: (what: string, error: unknown) => void): void {
    const report = { ended: this.#jobs - this.cancelled, cancelled: this.cancelled };
    this.report = report;
    this.#kernel.wake(this, report);
    for (const listener of this.#listeners.splice(0)) {
      try {
        listener(report);
      } catch (error) {
        complain("a listener for the end of a drain failed", error);
      }
    }
  }
}
