/** The entry of the worker of a journal on SQLite; started by `openSqliteJournal`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveStore } from "../../serve.ts";
import { JOURNAL_PACKING } from "../journal-load.ts";
import { openSqliteJournalStore, type SqliteJournalSettings } from "./journal-store.ts";

if (parentPort !== null)
  serveStore(parentPort, () => openSqliteJournalStore(workerData as SqliteJournalSettings), JOURNAL_PACKING);
