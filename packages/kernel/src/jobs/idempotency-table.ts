/**
 * Jobs by idempotency key.
 *
 * I1. A key names one queue and one payload. The same again gives the same job; anything else is a conflict.
 * I2. Keys of jobs that live are kept. Of those that ended, the newest `limit` are kept, by the time of their end.
 * I3. A cancelled or killed job frees its key: the work was not done. A failed one keeps it: so the failure is what a repetition gets.
 */
import { IdempotencyConflictError } from "./errors.ts";
import type { JobRecord } from "./job-record.ts";

interface Entry {
  readonly key: string;
  readonly hash: string;
}

/** The table. Internal. */
export class IdempotencyTable {
  readonly #limit: number;
  readonly #jobs = new Map<string, { readonly hash: string; readonly job: JobRecord }>();
  readonly #entries = new Map<JobRecord, Entry>();
  /** Ended jobs in order of their ends. */
  readonly #ended = new Set<JobRecord>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Keys that are known. */
  get size(): number {
    return this.#jobs.size;
  }

  /** The job of a key. @throws {IdempotencyConflictError} (I1) */
  find(key: string, hash: string): JobRecord | undefined {
    const known = this.#jobs.get(key);
    if (known === undefined) return undefined;
    if (known.hash !== hash) throw new IdempotencyConflictError(key);
    return known.job;
  }

  add(key: string, hash: string, job: JobRecord): void {
    this.#jobs.set(key, { hash, job });
    this.#entries.set(job, { key, hash });
  }

  /** A job has ended: keep or free its key. */
  ended(job: JobRecord): void {
    if (!this.#entries.has(job)) return;
    if (job.state === "cancelled") {
      this.#forget(job);
      return;
    }
    this.#ended.add(job);
    if (this.#ended.size <= this.#limit) return;
    for (const oldest of this.#ended) {
      this.#forget(oldest);
      break;
    }
  }

  #forget(job: JobRecord): void {
    this.#jobs.delete(this.#entries.get(job)!.key);
    this.#entries.delete(job);
    this.#ended.delete(job);
  }
}
