/**
 * A folder of files as the journal needs it: positioned reads and writes, flushes, and nothing else. Synchronous, because
 * the store worker does one thing at a time. The tests put a disk that loses and damages writes behind this port.
 */

/** The files of one folder. */
export interface JournalFiles {
  /** Names of the files in the folder, in any order. */
  list(): readonly string[];
  /** Open an existing file for reading and writing. */
  open(name: string): JournalFile;
  /** Make a file of `bytes` zeros that takes its room on the disk already; durable with its name when this returns. */
  create(name: string, bytes: number): JournalFile;
  /** Remove a file. A crash may bring it back. */
  remove(name: string): void;
}

/** One open file. */
export interface JournalFile {
  /** Size in bytes. */
  readonly size: number;
  /** `length` bytes from `at`, fewer at the end of the file. The bytes are the caller's to keep. */
  read(at: number, length: number): Uint8Array;
  /** Write all bytes at `at`. Durable after the next `sync` only. */
  write(at: number, bytes: Uint8Array): void;
  /** Flush what was written. When it throws, nobody knows what reached the disk. */
  sync(): void;
  close(): void;
}
