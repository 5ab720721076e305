/**
 * The accepted jobs of a node: each is on disk before it is accepted, run at least once, and ended once.
 *
 * DJ1. A job is handed to the mesh only when its row is durable; its end is durable before anybody is told of it.
 * DJ2. What had not ended when the node stopped is begun again at its next start under the same id. Unless the node had stopped in order that is
 *      the next attempt, which is durable before; after {@link ATTEMPTS_MAX} it has failed: a job that ends its node does not do so for ever.
 * DJ3. A job that was cancelled or has expired keeps that end, whatever comes back later, and its work is stopped wherever it waits or runs.
 * DJ4. At most {@link PENDING_MAX} jobs and {@link PENDING_BYTES} of payloads that have not ended; of ended ones the last {@link ENDED_MAX},
 *      for {@link ENDED_MS}. A key is free again when its job is forgotten.
 * DJ5. A row that cannot be written: a new job is refused; an end is told all the same, and the job runs again after a restart.
 */
import { randomBytes } from "node:crypto";
import { toErrorRecord } from "@glia-os/abi/errors";
import type { Clock, Logger, Meter, TimerHandle, Timers, Tracer } from "@glia-os/abi/ports";
import { formatTraceparent, parseTraceparent } from "@glia-os/abi/wire";
import type { JobRequest } from "../node-views.ts";
import {
  canonicalJson,
  checkFilter,
  checkJobId,
  checkSubmission,
  checkWait,
  idOfKey,
  JOB_JSON_BYTES,
} from "./check-submission.ts";
import {
  JobCancelledError,
  JobExpiredError,
  JobFailedError,
  JobKeyReusedError,
  JobsFullError,
  JobUnknownError,
} from "./errors.ts";
import type { JobApi } from "./job-api.ts";
import type { JobLedger, JobRow } from "./job-ledger.ts";
import type { JobFilter, JobState, JobSubmission, JobView } from "./job-views.ts";

/** Jobs that have not ended (DJ4). */
export const PENDING_MAX = 1000;
/** Bytes of their payloads as JSON (DJ4). */
export const PENDING_BYTES: number = 64 * 1024 * 1024;
/** Ended jobs that are kept (DJ4). */
export const ENDED_MAX = 1000;
/** How long ended jobs are kept, in milliseconds (DJ4). */
export const ENDED_MS = 86_400_000;
/** How often a job is begun (DJ2). */
export const ATTEMPTS_MAX = 5;
/** Longest time of one timer, in milliseconds. */
const TIMER_MAX_MS = 2_147_483_647;
const LIST_DEFAULT = 100;

/** What it works with. */
export interface DurableJobsParts {
  readonly ledger: JobLedger;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer | undefined;
  /** Run a job in the mesh. */
  run(job: JobRequest): Promise<unknown>;
  /** Stop a job, wherever it waits or runs in the mesh. */
  cancel(id: string): void;
}

interface Entry {
  row: JobRow;
  bytes: number;
  /** Resolves when the row of a new job is durable. */
  accepted: Promise<unknown>;
  timer: TimerHandle | undefined;
  /** Set once the job has come to an end, which is told when it is durable. */
  ending: Promise<void> | undefined;
  readonly waiting: Set<() => void>;
}

type EndState = Exclude<JobState, "pending">;
type Outcome = { readonly result: unknown } | { readonly error: unknown };

/** The jobs of one node. */
export class DurableJobs implements JobApi {
  readonly #parts: DurableJobsParts;
  /** In the order they were accepted. */
  readonly #entries = new Map<string, Entry>();
  #pending = 0;
  #pendingBytes = 0;
  #stopped = false;

  constructor(parts: DurableJobsParts) {
    this.#parts = parts;
  }

  /** Take up what the disk holds (DJ2). Resolves when every attempt that begins is durable. */
  async open(): Promise<void> {
    const { ledger, logger } = this.#parts;
    const { rows, unreadable, inOrder: stoppedInOrder } = await ledger.load();
    if (unreadable > 0)
      logger.log("warn", "rows of jobs that cannot be read were left", { rows: unreadable });
    const inOrder = [...rows].sort((a, b) => a.acceptedMs - b.acceptedMs || (a.id < b.id ? -1 : 1));
    for (const row of inOrder) this.#add(row, row.state === "pending" ? byteLength(row.payload) : 0);
    await this.#prune();
    await Promise.all([...this.#entries.values()].map((entry) => this.#takeUp(entry, stoppedInOrder)));
  }

  /** From now on nothing changes any more: what has not ended goes on at the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { timer, waiting } of this.#entries.values()) {
      timer?.cancel();
      for (const wake of waiting) wake();
    }
    const { ledger, logger } = this.#parts;
    await ledger.leave().catch((error: unknown) => {
      const why = toErrorRecord(error).message;
      logger.log("warn", "the next start counts as another attempt of every job", { error: why });
    });
    await ledger.close();
  }

  async acceptJob(job: JobSubmission): Promise<JobView> {
    const { submission, bytes, digest } = checkSubmission(job);
    const { key } = submission;
    const id = key === undefined ? randomBytes(16).toString("hex") : idOfKey(key);
    const known = this.#entries.get(id);
    if (known !== undefined) {
      if (known.row.digest !== digest) throw new JobKeyReusedError(key ?? "", id);
      await known.accepted;
      return viewOf(known.row);
    }
    if (this.#pending >= PENDING_MAX) throw new JobsFullError(`${PENDING_MAX} jobs that have not ended`);
    if (this.#pendingBytes + bytes > PENDING_BYTES)
      throw new JobsFullError(`${PENDING_BYTES} bytes of payloads that wait`);
    return this.#accept(submission, { id, bytes, digest });
  }

  async job(id: string): Promise<JobView> {
    return viewOf(this.#entry(id).row);
  }

  async jobChange(id: string, after: number, timeoutMs: number): Promise<JobView> {
    checkWait(timeoutMs);
    const entry = this.#entry(id);
    if (entry.row.version <= after && timeoutMs > 0 && !this.#stopped)
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          timer.cancel();
          entry.waiting.delete(wake);
          resolve();
        };
        const timer = this.#parts.timers.schedule(timeoutMs, wake);
        entry.waiting.add(wake);
      });
    return viewOf(entry.row);
  }

  async listJobs(given?: JobFilter): Promise<readonly JobView[]> {
    const { state, after, limit = LIST_DEFAULT } = checkFilter(given);
    if (after !== undefined) this.#entry(after);
    const views: JobView[] = [];
    let begun = after === undefined;
    for (const { row } of this.#entries.values()) {
      if (begun && (state === undefined || row.state === state)) views.push(viewOf(row, false));
      if (row.id === after) begun = true;
      if (views.length === limit) break;
    }
    return views;
  }

  async cancelJob(id: string): Promise<JobView> {
    const entry = this.#entry(id);
    await entry.accepted;
    const open = entry.row.state === "pending" && entry.ending === undefined && !this.#stopped;
    const ended = this.#end(entry, "cancelled", { error: new JobCancelledError(id) });
    if (open) this.#parts.cancel(id);
    await ended;
    return viewOf(entry.row);
  }

  #entry(id: unknown): Entry {
    const entry = this.#entries.get(checkJobId(id));
    if (entry === undefined) throw new JobUnknownError(String(id));
    return entry;
  }

  async #accept(
    submission: JobSubmission,
    { id, bytes, digest }: { readonly id: string; readonly bytes: number; readonly digest: string },
  ): Promise<JobView> {
    const { entry, key, payload, priority = 0, lineage = [], deadlineMs, traceparent } = submission;
    const { tracer, clock, ledger, meter } = this.#parts;
    const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent);
    const span = tracer?.start("job.submit", {
      kind: "producer",
      attributes: { "glia.job.id": id, "glia.job.entry": entry },
      ...(parent === undefined ? {} : { parent }),
    });
    const trace = span === undefined ? traceparent : formatTraceparent(span.context);
    const acceptedMs = Math.floor(clock.wallMs());
    const row: JobRow = {
      id,
      entry,
      payload,
      digest,
      priority,
      lineage,
      state: "pending",
      attempt: 1,
      version: 1,
      acceptedMs,
      ...(key === undefined ? {} : { key }),
      ...(trace === undefined ? {} : { traceparent: trace }),
      ...(deadlineMs === undefined ? {} : { deadlineMs: acceptedMs + deadlineMs }),
    };
    const kept = this.#add(row, bytes);
    kept.accepted = ledger.write(row);
    try {
      await kept.accepted;
    } catch (error) {
      this.#forget(kept);
      span?.status("error", toErrorRecord(error).message);
      throw error;
    } finally {
      span?.end();
    }
    meter.count("glia_jobs_accepted_total", 1);
    this.#begin(kept);
    return viewOf(row);
  }

  #add(row: JobRow, bytes: number): Entry {
    const entry: Entry = {
      row,
      bytes,
      accepted: Promise.resolve(),
      timer: undefined,
      ending: undefined,
      waiting: new Set(),
    };
    this.#entries.set(row.id, entry);
    if (row.state === "pending") this.#count(1, bytes);
    return entry;
  }

  #count(jobs: number, bytes: number): void {
    this.#pending += jobs;
    this.#pendingBytes += bytes;
    this.#parts.meter.gauge("glia_jobs_pending", this.#pending);
  }

  #forget(entry: Entry): void {
    if (entry.row.state === "pending") this.#count(-1, -entry.bytes);
    entry.timer?.cancel();
    this.#entries.delete(entry.row.id);
  }

  /** Begin again what had not ended (DJ2). */
  async #takeUp(entry: Entry, stoppedInOrder: boolean): Promise<void> {
    const { id, state, attempt, version, deadlineMs } = entry.row;
    if (state !== "pending") return;
    if (deadlineMs !== undefined && deadlineMs <= this.#parts.clock.wallMs())
      return this.#end(entry, "expired", { error: new JobExpiredError(id, deadlineMs) });
    if (stoppedInOrder) return this.#begin(entry);
    if (attempt >= ATTEMPTS_MAX) {
      const why = `its node ended ${ATTEMPTS_MAX} times before it did`;
      return this.#end(entry, "failed", { error: new JobFailedError(id, why) });
    }
    entry.row = { ...entry.row, attempt: attempt + 1, version: version + 1 };
    await this.#parts.ledger.write(entry.row);
    this.#begin(entry);
  }

  #begin(entry: Entry): void {
    const { id, entry: name, payload, lineage, priority, traceparent } = entry.row;
    this.#guardDeadline(entry);
    if (entry.ending !== undefined) return;
    const job = {
      id,
      entry: name,
      payload,
      lineage,
      priority,
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    this.#parts.run(job).then(
      (result) => this.#succeed(entry, result ?? null),
      (error: unknown) => this.#end(entry, "failed", { error }),
    );
  }

  #guardDeadline(entry: Entry): void {
    const { id, deadlineMs, state } = entry.row;
    if (deadlineMs === undefined || state !== "pending" || this.#stopped) return;
    const leftMs = deadlineMs - this.#parts.clock.wallMs();
    if (leftMs > 0) {
      const again = (): void => this.#guardDeadline(entry);
      entry.timer = this.#parts.timers.schedule(Math.min(Math.ceil(leftMs), TIMER_MAX_MS), again);
      return;
    }
    void this.#end(entry, "expired", { error: new JobExpiredError(id, deadlineMs) });
    this.#parts.cancel(id);
  }

  async #succeed(entry: Entry, result: unknown): Promise<void> {
    try {
      if (Buffer.byteLength(canonicalJson(result)) <= JOB_JSON_BYTES)
        return await this.#end(entry, "succeeded", { result });
    } catch {
      // A result that is no JSON: said below.
    }
    const why = `its result is not JSON of at most ${JOB_JSON_BYTES} bytes`;
    await this.#end(entry, "failed", { error: new JobFailedError(entry.row.id, why) });
  }

  /** The first end counts; later ones wait for it (DJ3). */
  async #end(entry: Entry, state: EndState, outcome: Outcome): Promise<void> {
    if (entry.row.state !== "pending" || this.#stopped) return;
    entry.ending ??= this.#writeEnd(entry, state, outcome);
    await entry.ending;
  }

  /** (DJ1, DJ5) */
  async #writeEnd(entry: Entry, state: EndState, outcome: Outcome): Promise<void> {
    const { payload: _, ...kept } = entry.row;
    const endedMs = Math.floor(this.#parts.clock.wallMs());
    const how = "result" in outcome ? outcome : { error: toErrorRecord(outcome.error) };
    const ended: JobRow = { ...kept, state, version: kept.version + 1, endedMs, ...how };
    entry.timer?.cancel();
    this.#count(-1, -entry.bytes);
    try {
      await this.#parts.ledger.write(ended);
    } catch (error) {
      const { message } = toErrorRecord(error);
      this.#parts.logger.log("error", "the end of a job is not on disk", { job: ended.id, error: message });
    }
    entry.row = ended;
    this.#parts.meter.count("glia_jobs_ended_total", 1, { state });
    for (const wake of [...entry.waiting]) wake();
    await this.#prune();
  }

  /** (DJ4) */
  async #prune(): Promise<void> {
    const ended = [...this.#entries.values()].filter(({ row }) => row.endedMs !== undefined);
    const oldestMs = this.#parts.clock.wallMs() - ENDED_MS;
    const byAge = ended.sort((a, b) => (a.row.endedMs ?? 0) - (b.row.endedMs ?? 0));
    const gone = byAge.filter(
      ({ row }, at) => at < byAge.length - ENDED_MAX || (row.endedMs ?? 0) < oldestMs,
    );
    for (const entry of gone) {
      this.#entries.delete(entry.row.id);
      await this.#parts.ledger.remove(entry.row.id).catch(() => undefined);
    }
  }
}

function byteLength(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value ?? null));
}

function viewOf(
  { payload: _, digest: __, lineage: ___, traceparent: ____, ...row }: JobRow,
  whole = true,
): JobView {
  if (whole) return row;
  const { result: _____, ...listed } = row;
  return listed;
}
