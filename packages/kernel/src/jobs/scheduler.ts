/**
 * Named job queues over one kernel. The queues belong to the shell: who has the scheduler object may submit.
 *
 * J1. At most `concurrency` attempts run at a time, and at most a queue's own `concurrency` of its jobs.
 * J2. A free place goes to the queue that is due by start-time fair queueing over the queues' weights (`../fair-share/fair-queue.ts`).
 *     A queue that was empty or at its own limit comes back at the present virtual time. The priority of a queue is that of its tasks.
 * J3. A job is in one place: its queue, a running attempt, a backoff, or ended. What has ended is not kept here, but by its handle, and
 *     by its idempotency key if it has one.
 * J4. A refused submission changes nothing.
 * J5. When the kernel shuts down every job ends: those that run with their tasks, the others as cancelled.
 */
import type { Logger, Meter, Random } from "@glia-os/abi/ports";
import type { QueueDump } from "../dump.ts";
import { checkDuration } from "../duration.ts";
import { BadOptionError, ShuttingDownError } from "../errors.ts";
import { Budget } from "../fair-share/budget.ts";
import { FairQueue } from "../fair-share/fair-queue.ts";
import type { Kernel } from "../kernel.ts";
import type { Routine } from "../operation.ts";
import { backoffMs, type RetryPlan, retryPlan, worthRetrying } from "../retry/backoff.ts";
import { DeadlineExceededError } from "../retry/errors.ts";
import { shown } from "../shown.ts";
import type { Program, Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";
import { type Drain, DrainRecord } from "./drain.ts";
import { DrainingError, QueueFullError, UnknownQueueError } from "./errors.ts";
import { IdempotencyTable } from "./idempotency-table.ts";
import { hasEnded, type JobHandle, type SchedulableJob } from "./job.ts";
import { countFrom1, JobQueue, type PressureChange, type QueueOptions } from "./job-queue.ts";
import { type JobOwner, JobRecord } from "./job-record.ts";
import { jobTrace } from "./job-trace.ts";
import { payloadHash } from "./payload-hash.ts";

type Queue = JobQueue<JobRecord>;

const CONCURRENCY = 256;
const CONCURRENCY_MOST = 1_000_000;
const KEYS = 10_000;
const KEYS_MOST = 1_000_000;
const GRACE_MS = 5000;
const QUEUES_MOST = 256;
const NAME_MOST = 128;
const KEY_MOST = 256;
const COST_MOST = 100_000;

/** What a scheduler is made with. */
export interface SchedulerOptions {
  /** Attempts that run at a time over all queues: 1 to 1,000,000, default 256. */
  readonly concurrency?: number;
  /** Idempotency keys of ended jobs that are kept: 1 to 1,000,000, default 10,000. */
  readonly idempotencyKeys?: number;
  /** Time an attempt has to clean up after its job's deadline before it is killed: default 5000 ms. */
  readonly graceMs?: number;
  readonly logger?: Logger;
  /** Gets `mayfly_queue_depth` per queue, and `backpressure_pauses_total`. */
  readonly meter?: Meter;
}

/** Names the queues of a scheduler to be. */
export class SchedulerBuilder {
  readonly #options: SchedulerOptions;
  readonly #queues = new Map<string, Queue>();

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Add a queue: at most 256, each name once. @throws {BadOptionError} */
  registerQueue(name: string, options: QueueOptions = {}): this {
    if (this.#queues.has(name)) throw new BadOptionError("queue name", name, "used once");
    if (this.#queues.size >= QUEUES_MOST)
      throw new BadOptionError("queues", QUEUES_MOST + 1, `at most ${QUEUES_MOST}`);
    this.#queues.set(name, new JobQueue<JobRecord>(name, options));
    return this;
  }

  /** Make the scheduler on a kernel. Once. @throws {BadOptionError} without queues. */
  build(kernel: Kernel): Scheduler {
    const queues = new Map(this.#queues);
    this.#queues.clear();
    return new Scheduler(kernel, queues, this.#options);
  }
}

/** Job queues. Made by `Scheduler.builder().registerQueue("name").build(kernel)`. */
export class Scheduler implements JobOwner {
  readonly kernel: Kernel;
  readonly #queues: ReadonlyMap<string, Queue>;
  readonly #fair = new FairQueue<JobRecord>();
  readonly #keys: IdempotencyTable;
  readonly #concurrency: number;
  readonly #graceMs: number;
  readonly #logger: Logger | undefined;
  readonly #meter: Meter | undefined;
  readonly #random: Random;
  readonly #live = new Map<number, JobRecord>();
  readonly #undescribe: () => void;
  #drain: DrainRecord | undefined;
  #running = 0;
  #nextId = 1;

  /** Name queues first. @throws {BadOptionError} */
  static builder(options: SchedulerOptions = {}): SchedulerBuilder {
    return new SchedulerBuilder(options);
  }

  /** Used by the builder. */
  constructor(kernel: Kernel, queues: ReadonlyMap<string, Queue>, options: SchedulerOptions) {
    const { concurrency = CONCURRENCY, idempotencyKeys = KEYS, graceMs = GRACE_MS } = options;
    countFrom1("concurrency", concurrency, CONCURRENCY_MOST);
    countFrom1("idempotencyKeys", idempotencyKeys, KEYS_MOST);
    checkDuration(graceMs, "a grace time");
    if (queues.size === 0)
      throw new BadOptionError("queues", 0, "at least 1: call registerQueue before build");
    this.kernel = kernel;
    this.#queues = queues;
    this.#keys = new IdempotencyTable(idempotencyKeys);
    this.#concurrency = concurrency;
    this.#graceMs = graceMs;
    this.#logger = options.logger;
    this.#meter = options.meter;
    this.#random = kernel.random.fork("jobs");
    for (const queue of queues.values()) queue.flow = this.#fair.flow(queue.flowOptions);
    this.#undescribe = kernel.describeQueues(() => this.dump());
  }

  /** Jobs that have not ended. */
  get live(): number {
    return this.#live.size;
  }

  /** Idempotency keys that are known. */
  get keys(): number {
    return this.#keys.size;
  }

  /** A job that has not ended. */
  find(id: number): JobHandle | undefined {
    return this.#live.get(id);
  }

  /**
   * Put a job into a queue; it starts when its queue is due. With an idempotency key that is known it is the earlier job that is returned.
   * @throws {UnknownQueueError} {QueueFullError} {IdempotencyConflictError} {BadOptionError} {BadDurationError} {ShuttingDownError}
   *     {TooManyTasksError} when a deadline cannot be watched. {DrainingError}
   */
  submit<Result>(queueName: string, work: SchedulableJob<Result>): JobHandle<Result> {
    const queue = this.#queue(queueName);
    const plan = planOf(work);
    const trace = jobTrace(this.kernel, work);
    if (this.kernel.shutdownState !== "running") throw new ShuttingDownError();
    if (this.#drain !== undefined) throw new DrainingError();
    const known = this.#known(queue, work);
    if (known !== undefined) return known as unknown as JobHandle<Result>;
    if (queue.full) {
      queue.counts.refused++;
      throw new QueueFullError(queue.name, queue.capacity);
    }
    const job = new JobRecord(this, this.#nextId, queue, work, plan);
    job.trace = trace;
    this.#fair.push(queue.flow, job, work.cost ?? 1);
    try {
      if (work.deadlineMs !== undefined) job.deadline = this.#watch(job, work.deadlineMs);
    } catch (error) {
      this.#fair.remove(queue.flow, job);
      throw error;
    }
    this.#nextId++;
    this.#live.set(job.id, job);
    queue.counts.submitted++;
    if (work.idempotencyKey !== undefined)
      this.#keys.add(work.idempotencyKey, payloadHash(queue.name, work.payload), job);
    this.#dispatch();
    this.#touch(queue);
    return job as unknown as JobHandle<Result>;
  }

  /** As `submit`, from inside a task, and waits while the queue is full: first come, first served. */
  *submitWhenRoom<Result>(
    sys: Sys,
    queueName: string,
    work: SchedulableJob<Result>,
  ): Routine<JobHandle<Result>> {
    const queue = this.#queue(queueName);
    planOf(work);
    if (this.#drain !== undefined) throw new DrainingError();
    if (!queue.full || this.#known(queue, work) !== undefined) return this.submit(queueName, work);
    const ticket = queue.enter();
    let came = false;
    try {
      while (!ticket.granted) yield* sys.waitOn(ticket);
      came = true;
    } finally {
      queue.leave(ticket);
      // Ended while it waited, perhaps with a place promised: the place goes to the next in line.
      if (!came) this.#roomOpened(queue);
    }
    try {
      return this.submit(queueName, work);
    } finally {
      // The submission may have been refused, or have found its job by its key: then the place is free again.
      this.#roomOpened(queue);
    }
  }

  /** How full a queue is: 0 to 1. @throws {UnknownQueueError} */
  pressure(queueName: string): number {
    return this.#queue(queueName).pressure;
  }

  /**
   * Hear when a queue asks to pause (pressure 0.8 or more) and to go on (below 0.5), each once. The observer must not throw. Returns a
   * function that ends it. @throws {UnknownQueueError}
   */
  onPressure(queueName: string, observer: (change: PressureChange) => void): () => void {
    const { observers } = this.#queue(queueName);
    observers.add(observer);
    return () => {
      observers.delete(observer);
    };
  }

  /** The queues as plain data; the kernel's `dumpState` has them too. */
  dump(): readonly QueueDump[] {
    return [...this.#queues.values()].map((queue) => queue.dump());
  }

  /**
   * Take nothing more and let every job end, up to `timeoutMs` (default: as long as it takes); then cancel those that live. Another call
   * while it drains gives the same drain, with the earlier deadline. @throws {BadDurationError} {TooManyTasksError}
   */
  drain(timeoutMs?: number): Drain {
    if (timeoutMs !== undefined) checkDuration(timeoutMs, "the time to drain");
    const drain = this.#drain ?? new DrainRecord(this.kernel, this.#live.size);
    if (timeoutMs !== undefined && this.#live.size > 0) this.#cancelRestAfter(drain, timeoutMs);
    this.#drain = drain;
    for (const queue of this.#queues.values())
      for (const ticket of queue.refuseAll()) this.kernel.wake(ticket);
    this.#drained();
    return drain;
  }

  /** End every job that lives, and leave the kernel's dump. Running attempts are cancelled. */
  close(reason: unknown = "the scheduler was closed"): void {
    for (const job of [...this.#live.values()]) job.cancel(reason);
    this.#undescribe();
  }

  /** Used by handles. */
  stop(job: JobRecord, how: "cancel" | "kill", reason: unknown): void {
    job.stopping = true;
    if (job.task !== null) this.kernel[how](job.task, reason);
    else this.#finish(job, { kind: how === "kill" ? "killed" : "cancelled", reason });
  }

  /** Used by handles. */
  complain(what: string, error: unknown): void {
    this.#logger?.log("error", what, { error: shown(error) });
  }

  #cancelRestAfter(drain: DrainRecord, timeoutMs: number): void {
    const live = () => [...this.#live.values()];
    const graceMs = this.#graceMs;
    const deadline: Program<void> = function* (sys) {
      yield* sys.sleep(timeoutMs);
      for (const job of live()) drain.cancel(job);
      yield* sys.sleep(graceMs);
      for (const job of live()) job.kill("drained");
    };
    const task = this.kernel.spawn(deadline, { name: "deadline of a drain", priority: "system" });
    drain.onEnd(() => this.#endSleeper(task));
  }

  /** A drain ends with the last job. */
  #drained(): void {
    if (this.#live.size > 0 || this.#drain === undefined || this.#drain.report !== undefined) return;
    this.#drain.end((what, error) => this.complain(what, error));
  }

  #queue(name: string): Queue {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new UnknownQueueError(name, [...this.#queues.keys()]);
    return queue;
  }

  /** The job of an idempotency key. @throws {IdempotencyConflictError} {BadOptionError} for a payload that cannot be hashed. */
  #known(queue: Queue, { idempotencyKey: key, payload }: SchedulableJob): JobRecord | undefined {
    return key === undefined ? undefined : this.#keys.find(key, payloadHash(queue.name, payload));
  }

  /** Give free places to the queues that are due (J1, J2). */
  #dispatch(): void {
    while (this.#running < this.#concurrency) {
      const served = this.#fair.shift();
      if (served === undefined) return;
      this.#start(served.item, served.cost);
      this.#roomOpened(served.item.home);
    }
  }

  #start(job: JobRecord, cost: number): void {
    const { home, work } = job;
    this.#running++;
    if (++home.running >= home.concurrency) this.#fair.hold(home.flow);
    job.state = "running";
    job.attempts++;
    const attempt = { number: job.attempts, payload: work!.payload };
    const measure = measureOf(home);
    const budget = [work!.budget, measure].filter((each) => each !== undefined);
    try {
      job.task = this.kernel.spawn((sys, ...given) => work!.run(sys, attempt, ...given), {
        name: job.name || home.name,
        priority: home.priority,
        give: work!.give ?? [],
        budget,
        ...(job.trace !== undefined && { traceparent: job.trace }),
      });
    } catch (error) {
      this.#freed(home);
      const closing = error instanceof ShuttingDownError;
      this.#finish(job, closing ? { kind: "cancelled", reason: "shutdown" } : { kind: "failed", error });
      return;
    }
    this.kernel.onExit(job.task, (exit) => {
      if (measure !== undefined) this.#charge(home, measure, cost);
      this.#attemptEnded(job, exit);
    });
  }

  #attemptEnded(job: JobRecord, exit: Exit): void {
    job.task = null;
    this.#freed(job.home);
    if (exit.kind === "failed") job.lastError = exit.error;
    const again = exit.kind === "failed" && this.#triesAgain(job, exit.error);
    if (!again || !this.#backOff(job)) this.#finish(job, job.verdict ?? exit);
    this.#dispatch();
  }

  #freed(queue: Queue): void {
    this.#running--;
    queue.running--;
    this.#fair.release(queue.flow);
  }

  #charge(queue: Queue, measure: Budget, cost: number): void {
    const { syscalls, cpuMs } = measure.spent;
    const taken = Math.min(COST_MOST, queue.charge === "syscalls" ? syscalls : cpuMs);
    this.#fair.charge(queue.flow, taken - cost);
  }

  #triesAgain(job: JobRecord, error: unknown): boolean {
    if (job.plan === null || job.stopping) return false;
    try {
      return worthRetrying(job.plan, job.attempts, error);
    } catch (thrown) {
      this.complain("the retry predicate of a job failed", thrown);
      return false;
    }
  }

  /** Let a job wait for its next attempt. Returns false when the kernel takes no more tasks. */
  #backOff(job: JobRecord): boolean {
    const plan = job.plan!;
    const waitMs = backoffMs(plan, job.attempts, (plan.random ?? this.#random).uint32());
    try {
      job.backoff = this.#sleeper(job, "backoff", function* (sys) {
        yield* sys.sleep(waitMs);
        requeue();
      });
    } catch {
      return false;
    }
    job.state = "backing-off";
    job.home.backingOff++;
    job.home.counts.retried++;
    const requeue = () => {
      job.backoff = null;
      job.state = "queued";
      job.home.backingOff--;
      this.#fair.push(job.home.flow, job, job.work!.cost ?? 1);
      this.#dispatch();
      this.#touch(job.home);
    };
    this.#touch(job.home);
    return true;
  }

  #watch(job: JobRecord, durationMs: number): TaskId {
    const expire = () => this.#expire(job, durationMs);
    const graceMs = this.#graceMs;
    return this.#sleeper(job, "deadline", function* (sys) {
      yield* sys.sleep(durationMs);
      expire();
      yield* sys.sleep(graceMs);
      job.kill("deadline");
    });
  }

  /** The deadline of a job has come. */
  #expire(job: JobRecord, durationMs: number): void {
    job.verdict = {
      kind: "failed",
      error: new DeadlineExceededError(`job ${job.name || job.id}`, durationMs),
    };
    job.stopping = true;
    if (job.task !== null) this.kernel.cancel(job.task, "deadline");
    else this.#finish(job, job.verdict);
  }

  /** A task that waits on behalf of a job. When it is ended by others, so is a job that does not run (J5). */
  #sleeper(job: JobRecord, what: string, program: (sys: Sys) => Routine<void>): TaskId {
    const task = this.kernel.spawn(program, { name: `${what} of job ${job.id}`, priority: "system" });
    this.kernel.onExit(task, (exit) => {
      if (exit.kind !== "ok" && job.task === null && !hasEnded(job.state))
        this.#finish(job, { kind: "cancelled", reason: "shutdown" });
    });
    return task;
  }

  #finish(job: JobRecord, exit: Exit): void {
    const { home, backoff, deadline } = job;
    if (job.state === "queued") this.#fair.remove(home.flow, job);
    if (job.state === "backing-off") home.backingOff--;
    this.#live.delete(job.id);
    home.counts[exit.kind === "ok" ? "finished" : exit.kind === "failed" ? "failed" : "cancelled"]++;
    job.end(exit);
    this.#keys.ended(job);
    for (const task of [backoff, deadline]) if (task !== null) this.#endSleeper(task);
    this.#roomOpened(home);
    this.#drained();
  }

  /** The kernel may have forgotten a sleeper that has ended. */
  #endSleeper(task: TaskId): void {
    try {
      this.kernel.kill(task);
    } catch (error) {
      if ((error as { code?: string }).code !== "kernel.unknown-task") throw error;
    }
  }

  #roomOpened(queue: Queue): void {
    for (let ticket = queue.promise(); ticket !== undefined; ticket = queue.promise())
      this.kernel.wake(ticket);
    this.#touch(queue);
  }

  /** Tell who watches a queue. */
  #touch(queue: Queue): void {
    this.#meter?.gauge("mayfly_queue_depth", queue.held, { queue: queue.name });
    const change = queue.changed();
    if (change === undefined) return;
    if (change.paused) this.#meter?.count("backpressure_pauses_total");
    for (const observer of queue.observers) {
      try {
        observer(change);
      } catch (error) {
        this.complain("an observer of pressure failed", error);
      }
    }
  }
}

/** A budget that only measures, for a queue that charges what its jobs take. */
function measureOf(queue: Queue): Budget | undefined {
  if (queue.charge === "jobs") return undefined;
  const unlimited = Number.POSITIVE_INFINITY;
  return new Budget(
    queue.charge === "cpuMs" ? { periodMs: 1, cpuMs: unlimited } : { periodMs: 1, syscalls: unlimited },
  );
}

/** Check a job. Returns when it is tried again, or null for never. */
function planOf(work: SchedulableJob): RetryPlan | null {
  if (typeof work?.run !== "function")
    throw new BadOptionError("job", typeof work, "an object with a run method");
  const { name = "", idempotencyKey: key = "-", deadlineMs = 0 } = work;
  if (typeof name !== "string" || name.length > NAME_MOST)
    throw new BadOptionError("job name", shown(name, 40), `text of at most ${NAME_MOST} characters`);
  if (typeof key !== "string" || key.length === 0 || key.length > KEY_MOST)
    throw new BadOptionError("idempotencyKey", shown(key, 40), `text of 1 to ${KEY_MOST} characters`);
  checkDuration(deadlineMs, "a job's deadline");
  return work.retry === undefined ? null : retryPlan(work.retry);
}
