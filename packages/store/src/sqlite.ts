/**
 * `Coordination` on a SQLite file, served by a worker thread so that no flush stops the caller's loop;
 * `worker-link.ts` says what happens to requests when the worker is busy, gone or closed.
 */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { MalformedError } from "@glia-os/abi/errors";
import type { Coordination } from "@glia-os/abi/ports";
import { CheckedCoordination } from "./checked-coordination.ts";
import { checkWhole } from "./limit-range.ts";
import { type CoordinationLimits, limitsOf } from "./limits.ts";
import type { CoordinationReply, CoordinationRequest } from "./request.ts";
import type { WorkerSettings } from "./serve-sqlite.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST, WorkerLink } from "./worker-link.ts";

/** The largest file when no limit is given: 4 GiB. */
export const DEFAULT_MAX_BYTES: number = 4 * 2 ** 30;

const MAX_BYTES_LEAST = 256 * 1024;
const MAX_BYTES_MOST = 2 ** 40;

/** What to open. */
export interface SqliteCoordinationOptions {
  /** The file; made when it is missing, its folder is not. Relative to the working directory. */
  readonly path: string;
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<CoordinationLimits>;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** The most the file may grow to, 256 KiB to 1 TiB. */
  readonly maxBytes?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/sqlite-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or create a store. One process has a file at a time.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.not-a-database`, `store.foreign-database`,
 * `store.corrupt`, `store.schema-newer`, and `abi.malformed` for a bad option.
 */
export async function openSqliteCoordination(options: SqliteCoordinationOptions): Promise<Coordination> {
  const settings = settingsOf(options);
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

function settingsOf({ path, limits, maxBytes }: SqliteCoordinationOptions): WorkerSettings {
  if (typeof path !== "string" || path === "" || path.includes("\0") || path === ":memory:") {
    throw new MalformedError("path", "it does not name a file; a store in memory is @glia-os/store/memory");
  }
  const bytes = checkWhole("maxBytes", maxBytes ?? DEFAULT_MAX_BYTES, MAX_BYTES_LEAST, MAX_BYTES_MOST);
  return { path: resolve(path), maxBytes: bytes, limits: limitsOf(limits) };
}
