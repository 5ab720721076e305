/**
 * Reads of a journal file that follow each other are answered from one larger read: a domain's batches often lie side by side, and a read of
 * the system costs as much as decoding a thousand bytes.
 *
 * RA1. What is kept was written and is never written again: callers ask only for bytes before `end`, which nobody changes.
 */
import type { JournalFile } from "./files.ts";

/** Bytes of one larger read. */
export const WINDOW_BYTES = 65_536;

/** The last larger read of any file. */
export class ReadAhead {
  #number = 0;
  #start = 0;
  #bytes: Uint8Array = new Uint8Array();
  /** Where the last read ended that was not answered from what is kept. */
  #last = 0;

  /** `length` bytes from `at` of the file with this number, whose bytes up to `end` stay as they are. The bytes are the caller's to keep. */
  read(file: JournalFile, number: number, at: number, length: number, end: number): Uint8Array {
    const from = at - this.#start;
    if (number === this.#number && from >= 0 && from + length <= this.#bytes.length)
      return this.#bytes.slice(from, from + length);
    const follows = number === this.#number && at >= this.#last && at - this.#last < WINDOW_BYTES;
    this.#number = number;
    this.#last = at + length;
    const most = Math.min(WINDOW_BYTES, end - at);
    if (!follows || length >= most) {
      this.#bytes = new Uint8Array();
      return file.read(at, length);
    }
    this.#start = at;
    this.#bytes = file.read(at, most);
    return this.#bytes.slice(0, length);
  }
}
