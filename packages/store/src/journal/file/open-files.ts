/** The files of a journal that are open: the one written to and those read last. At most {@link OPEN_FILES}. */
import type { JournalFile, JournalFiles } from "./files.ts";
import { fileName } from "./log-file.ts";

/** How many files are open at once. */
export const OPEN_FILES = 32;

/** Opens files when they are needed and closes the one used longest ago. */
export class OpenFiles {
  readonly #files: JournalFiles;
  /** By number; the one used last is the last. */
  readonly #open: Map<number, JournalFile> = new Map();

  constructor(files: JournalFiles) {
    this.#files = files;
  }

  get(number: number): JournalFile {
    const open = this.#open.get(number);
    if (open !== undefined) {
      this.#open.delete(number);
      this.#open.set(number, open);
      return open;
    }
    const file = this.#files.open(fileName(number));
    this.add(number, file);
    return file;
  }

  add(number: number, file: JournalFile): void {
    this.#open.set(number, file);
    if (this.#open.size <= OPEN_FILES) return;
    for (const oldest of this.#open.keys()) {
      this.forget(oldest);
      return;
    }
  }

  forget(number: number): void {
    this.#open.get(number)?.close();
    this.#open.delete(number);
  }

  close(): void {
    for (const number of [...this.#open.keys()]) this.forget(number);
  }
}
