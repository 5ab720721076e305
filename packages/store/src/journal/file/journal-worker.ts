/** The entry of the journal's worker; started by `openFileJournal`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveStore } from "../../serve.ts";
import { JOURNAL_PACKING } from "../journal-load.ts";
import { type FileJournalSettings, FolderJournalStore } from "./file-store.ts";

if (parentPort !== null)
  serveStore(parentPort, () => FolderJournalStore.open(workerData as FileJournalSettings), JOURNAL_PACKING);
