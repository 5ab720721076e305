/** Folders that must hold a journal already. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type JournalReader, openJournalReader } from "@glia-os/store/journal-reader";
import { JournalMissingError, reasonOf } from "../../errors.ts";

/** The journal of a folder, for reading; one that holds nothing has no domains. @throws {JournalMissingError} and what opening a journal throws */
export function journalIn(folder: string): JournalReader {
  try {
    if (!statSync(folder).isDirectory()) throw new JournalMissingError(folder, "it is no folder");
  } catch (error) {
    if (error instanceof JournalMissingError) throw error;
    throw new JournalMissingError(folder, reasonOf(error), error);
  }
  return openJournalReader(folder);
}

/** Refuse a folder without a journal, instead of making one. @throws as {@link journalIn} */
export function folderWithJournal(folder: string): void {
  void journalIn(folder).close();
}

/** Refuse a folder in which no program ever kept a journal or asked anybody. @throws {JournalMissingError} and what opening a journal throws */
export async function folderWithPrograms(folder: string): Promise<void> {
  const journal = journalIn(folder);
  try {
    const [first] = await journal.domains("", 1);
    if (first !== undefined || existsSync(join(folder, "oversight"))) return;
  } finally {
    await journal.close();
  }
  throw new JournalMissingError(folder, "no program has kept a journal there");
}
