/**
 * The `JobQueue` port over any job engine: jobs wait here, at most as many as the engine has slots are with it.
 * Invariants: packages/abi/src/ports/job-queue.ts.
 */
import {
  CancelSource,
  type JobEngine,
  type JobEnvelope,
  type JobQueue,
  type TakenJob,
} from "@glia-os/abi/ports";
import { OverlayLimitError } from "../overlay-errors.ts";

/** Jobs that wait, unless said otherwise. */
export const WAITING_JOBS_MAX = 10_000;

/** Settings of an engine queue. */
export interface EngineQueueOptions {
  readonly engine: Pick<JobEngine, "run">;
  /** Jobs with the engine at once: its workers. From 1. */
  readonly slots: number;
  readonly maxWaiting?: number;
}

/** A queue in front of `engine`. */
export function createEngineQueue(options: EngineQueueOptions): JobQueue {
  return new EngineQueue(options);
}

class EngineQueue implements JobQueue {
  readonly slots: number;
  readonly #o: EngineQueueOptions;
  /** In the order they will start: higher priority first, of equal ones the older. */
  readonly #waiting: TakenJob[] = [];
  readonly #running = new Map<TakenJob, CancelSource>();

  constructor(options: EngineQueueOptions) {
    this.#o = options;
    this.slots = options.slots;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#running.size;
  }

  submit(job: JobEnvelope, priority = 0): Promise<unknown> {
    const { maxWaiting = WAITING_JOBS_MAX } = this.#o;
    if (this.#waiting.length >= maxWaiting)
      return Promise.reject(new OverlayLimitError("jobs that wait", maxWaiting));
    return new Promise((resolve, reject) => {
      let at = this.#waiting.length;
      while (at > 0 && (this.#waiting[at - 1] as TakenJob).priority < priority) at--;
      this.#waiting.splice(at, 0, { job, priority, resolve, reject });
      this.#feed();
    });
  }

  takeTail(count: number, fits: (job: JobEnvelope) => boolean = () => true): TakenJob[] {
    const taken: TakenJob[] = [];
    for (let at = this.#waiting.length - 1; at >= 0 && taken.length < count; at--) {
      const waiting = this.#waiting[at] as TakenJob;
      if (!fits(waiting.job)) continue;
      this.#waiting.splice(at, 1);
      taken.push(waiting);
    }
    return taken;
  }

  cancel(fits: (job: JobEnvelope) => boolean, why: Error): number {
    const waiting = this.takeTail(this.#waiting.length, fits);
    const running = [...this.#running].filter(([{ job }, { cancelled }]) => !cancelled && fits(job));
    for (const { reject } of waiting) reject(why);
    for (const [{ reject }, stop] of running) {
      reject(why);
      stop.cancel(why);
    }
    return waiting.length + running.length;
  }

  #feed(): void {
    while (this.#running.size < this.slots) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const stop = new CancelSource();
      this.#running.set(next, stop);
      this.#o.engine
        .run(next.job, stop)
        .then(next.resolve, next.reject)
        .finally(() => {
          this.#running.delete(next);
          this.#feed();
        });
    }
  }
}
