/**
 * `Coordination` on a SQLite file, served by a worker thread so that no flush stops the caller's loop;
 * `worker-link.ts` says what happens to requests when the worker is busy, gone or closed.
 */
import { Worker } from "node:worker_threads";
import type { Coordination } from "@glia-os/abi/ports";
import { CheckedCoordination } from "./checked-coordination.ts";
import { checkWhole } from "./limit-range.ts";
import { type CoordinationLimits, limitsOf } from "./limits.ts";
import type { CoordinationReply, CoordinationRequest } from "./request.ts";
import type { WorkerSettings } from "./serve-sqlite.ts";
import { type DatabasePlace, databaseOptions } from "./sqlite-file.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST, WorkerLink } from "./worker-link.ts";

/** What to open. */
export interface SqliteCoordinationOptions extends DatabasePlace {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<CoordinationLimits>;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/sqlite-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or create a store. One process has a file at a time.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.not-a-database`, `store.foreign-database`,
 * `store.corrupt`, `store.schema-newer`, and `abi.malformed` for a bad option.
 */
export async function openSqliteCoordination(options: SqliteCoordinationOptions): Promise<Coordination> {
  const settings: WorkerSettings = { ...databaseOptions(options), limits: limitsOf(options.limits) };
  const queueLimit = checkWhole("queueLimit", options.queueLimit ?? DEFAULT_QUEUE_LIMIT, 1, QUEUE_LIMIT_MOST);
  const worker = new Worker(options.workerUrl ?? ownWorkerUrl(), {
    workerData: settings,
    name: "glia-store",
  });
  const link = new WorkerLink<CoordinationRequest, CoordinationReply>(worker, queueLimit);
  await link.ready();
  return new CheckedCoordination(link);
}

function ownWorkerUrl(): URL {
  return new URL(
    import.meta.url.endsWith(".ts") ? "./sqlite-worker.ts" : "./sqlite-worker.js",
    import.meta.url,
  );
}
