/** `KeyValue` on a SQLite file, served by a worker thread so that no flush stops the caller's loop. */
import { Worker } from "node:worker_threads";
import type { KeyValue } from "@glia-os/abi/ports";
import { checkWhole } from "../../limit-range.ts";
import { type DatabasePlace, databaseOptions } from "../../sqlite-file.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST, WorkerLink } from "../../worker-link.ts";
import { CheckedKeyValue } from "../checked-key-value.ts";
import { type KeyValueLimits, keyValueLimits } from "../limits.ts";
import type { KeyReply, KeyRequest } from "../request.ts";
import type { KeyValueSettings } from "./key-store.ts";

/** What to open. */
export interface SqliteKeyValueOptions extends DatabasePlace {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<KeyValueLimits>;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/key-value-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or create a store. One process has a file at a time.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.not-a-database`, `store.foreign-database`,
 * `store.corrupt`, `store.schema-newer`, and `abi.malformed` for a bad option.
 */
export async function openSqliteKeyValue(options: SqliteKeyValueOptions): Promise<KeyValue> {
  const settings: KeyValueSettings = { ...databaseOptions(options), limits: keyValueLimits(options.limits) };
  const queueLimit = options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  const worker = new Worker(options.workerUrl ?? ownWorkerUrl(), { workerData: settings, name: "glia-keys" });
  const link = new WorkerLink<KeyRequest, KeyReply>(worker, queueLimit, {
    bytesOf: (request) => (request.op === "put" ? request.value : undefined),
    given: true,
  });
  await link.ready();
  return new CheckedKeyValue(link, settings.limits.valueBytes);
}

function ownWorkerUrl(): URL {
  const file = import.meta.url.endsWith(".ts") ? "./key-value-worker.ts" : "./key-value-worker.js";
  return new URL(file, import.meta.url);
}
