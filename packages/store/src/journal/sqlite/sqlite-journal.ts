/** `Journal` on a SQLite file, served by a worker thread so that no flush stops the caller's loop. */
import { Worker } from "node:worker_threads";
import type { Journal } from "@glia-os/abi/ports";
import { checkWhole } from "../../limit-range.ts";
import { type DatabasePlace, databaseOptions } from "../../sqlite-file.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST, WorkerLink } from "../../worker-link.ts";
import { CheckedJournal } from "../checked-journal.ts";
import { JOURNAL_LOAD } from "../journal-load.ts";
import { type JournalLimits, journalLimits } from "../limits.ts";
import type { JournalReply, JournalRequest } from "../request.ts";
import type { SqliteJournalSettings } from "./journal-store.ts";

/** What to open. */
export interface SqliteJournalOptions extends DatabasePlace {
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<JournalLimits>;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/journal-sqlite-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or create a journal. One process has a file at a time. Opening reads the numbers of every batch and no body.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.not-a-database`, `store.foreign-database`,
 * `store.corrupt`, `store.schema-newer`, and `abi.malformed` for a bad option.
 */
export async function openSqliteJournal(options: SqliteJournalOptions): Promise<Journal> {
  const settings: SqliteJournalSettings = {
    ...databaseOptions(options),
    limits: journalLimits(options.limits),
  };
  const queueLimit = options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  const worker = new Worker(options.workerUrl ?? ownWorkerUrl(), {
    workerData: settings,
    name: "glia-journal",
  });
  const link = new WorkerLink<JournalRequest, JournalReply>(worker, queueLimit, JOURNAL_LOAD);
  await link.ready();
  return new CheckedJournal(link);
}

function ownWorkerUrl(): URL {
  const file = import.meta.url.endsWith(".ts") ? "./sqlite-journal-worker.ts" : "./journal-sqlite-worker.js";
  return new URL(file, import.meta.url);
}
