/** A journal on SQLite as its worker runs it: one transaction per group of requests. */
import { Batches, sqliteTransaction } from "../../batch.ts";
import type { SynchronousStore } from "../../serve.ts";
import { type DatabaseOptions, openDatabase } from "../../sqlite-file.ts";
import type { JournalLimits } from "../limits.ts";
import type { JournalReply, JournalRequest } from "../request.ts";
import { JournalRules } from "../rules.ts";
import { JOURNAL_DATABASE, SqliteLog } from "./journal-tables.ts";

/** What a worker is started with. */
export interface SqliteJournalSettings extends DatabaseOptions {
  readonly limits: JournalLimits;
}

/** The most requests of one transaction. */
const GROUP_REQUESTS = 1_024;

/** Open the file. @throws the refusals of `openDatabase`, and `store.corrupt` when records are missing. */
export function openSqliteJournalStore(
  settings: SqliteJournalSettings,
): SynchronousStore<JournalRequest, JournalReply> {
  const db = openDatabase(settings, JOURNAL_DATABASE);
  try {
    const log = new SqliteLog(db, settings.path);
    let rules = new JournalRules(log, settings.limits, log.table());
    const batches = new Batches<JournalRequest, JournalReply>(
      {
        perform: (request) => rules.perform(request),
        reconcile: () => {
          rules = new JournalRules(log, settings.limits, log.table());
        },
      },
      sqliteTransaction(db, settings.path),
    );
    return {
      perform: (requests) => batches.perform(requests),
      groupLimit: GROUP_REQUESTS,
      close: () => db.close(),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}
