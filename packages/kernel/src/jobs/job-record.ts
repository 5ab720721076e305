/** A job as its scheduler keeps it. The handle that clients get is this object, as {@link JobHandle}. */
import type { Kernel } from "../kernel.ts";
import type { Routine } from "../operation.ts";
import type { RetryPlan } from "../retry/backoff.ts";
import type { Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";
import { hasEnded, type JobHandle, type JobState, type SchedulableJob } from "./job.ts";
import type { JobQueue } from "./job-queue.ts";

/** What a job asks of its scheduler. */
export interface JobOwner {
  readonly kernel: Kernel;
  /** End or ask to end a job that lives. */
  stop(job: JobRecord, how: "cancel" | "kill", reason: unknown): void;
  /** A listener threw. */
  complain(what: string, error: unknown): void;
}

/** A job. Internal. */
export class JobRecord implements JobHandle {
  readonly id: number;
  readonly name: string;
  readonly home: JobQueue<JobRecord>;
  /** Null after the end (B1 of `job.ts`). */
  work: SchedulableJob | null;
  plan: RetryPlan | null;
  state: JobState = "queued";
  attempts = 0;
  lastError: unknown = undefined;
  outcome: Exit | undefined = undefined;
  /** The trace its attempts go on with. */
  trace: string | undefined = undefined;
  /** The attempt that runs. */
  task: TaskId | null = null;
  /** The tasks that sleep until the next attempt, and until the deadline. */
  backoff: TaskId | null = null;
  deadline: TaskId | null = null;
  /** Set when no further attempt is wanted; how the job ends when its attempt has. */
  verdict: Exit | undefined = undefined;
  stopping = false;
  readonly #owner: JobOwner;
  #listeners: ((outcome: Exit) => void)[] | null = null;

  constructor(
    owner: JobOwner,
    id: number,
    home: JobQueue<JobRecord>,
    work: SchedulableJob,
    plan: RetryPlan | null,
  ) {
    this.#owner = owner;
    this.id = id;
    this.home = home;
    this.work = work;
    this.plan = plan;
    this.name = work.name ?? "";
  }

  get queue(): string {
    return this.home.name;
  }

  *wait(sys: Sys): Routine<Exit<never>> {
    // A wake for this key comes once, at the end; nothing can come between this test and the wait.
    if (this.outcome === undefined) yield* sys.waitOn(this);
    return this.outcome as Exit<never>;
  }

  onEnd(listener: (outcome: Exit<never>) => void): void {
    if (this.outcome === undefined) (this.#listeners ??= []).push(listener as (outcome: Exit) => void);
    else listener(this.outcome as Exit<never>);
  }

  cancel(reason?: unknown): boolean {
    return this.#stop("cancel", reason);
  }

  kill(reason?: unknown): boolean {
    return this.#stop("kill", reason);
  }

  /** End, once. */
  end(outcome: Exit): void {
    this.outcome = outcome;
    this.state = outcome.kind === "ok" ? "finished" : outcome.kind === "failed" ? "failed" : "cancelled";
    this.work = null;
    this.plan = null;
    this.task = null;
    const listeners = this.#listeners ?? [];
    this.#listeners = null;
    this.#owner.kernel.wake(this, outcome);
    for (const listener of listeners) {
      try {
        listener(outcome);
      } catch (error) {
        this.#owner.complain("a listener for the end of a job failed", error);
      }
    }
  }

  #stop(how: "cancel" | "kill", reason: unknown): boolean {
    if (hasEnded(this.state)) return false;
    this.#owner.stop(this, how, reason);
    return true;
  }
}
