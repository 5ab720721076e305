/** The entry of the journal's worker; started by `openFileJournal`, of no use by itself. */
import { parentPort, workerData } from "node:worker_threads";
import { serveStore } from "../../serve.ts";
import { JOURNAL_PACKING } from "../journal-load.ts";
import { type FileJournalSetup, FolderJournalStore } from "./file-store.ts";

if (parentPort !== null) {
  const { settings, memory } = workerData as FileJournalSetup;
  serveStore(parentPort, () => FolderJournalStore.open(settings), JOURNAL_PACKING, memory);
}
