/** Folders that must hold a journal already. */
import { openJournalReader } from "@glia-os/store/journal-reader";

/** Refuse a folder without a journal, instead of making one. @throws what opening a journal throws */
export function folderWithJournal(folder: string): void {
  void openJournalReader(folder).close();
}
