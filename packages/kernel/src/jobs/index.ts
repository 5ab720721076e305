/** Named job queues: bounded, shared by weight, with retries, deadlines and idempotency keys. */
export type { QueueDump } from "../dump.ts";
export type { Drain, DrainReport } from "./drain.ts";
export { DrainingError, IdempotencyConflictError, QueueFullError, UnknownQueueError } from "./errors.ts";
export type { Attempt, JobHandle, JobState, SchedulableJob } from "./job.ts";
export type { Charge, PressureChange, QueueOptions } from "./job-queue.ts";
export { Scheduler, SchedulerBuilder, type SchedulerOptions } from "./scheduler.ts";
