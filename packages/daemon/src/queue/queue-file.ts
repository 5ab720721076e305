/**
 * The file of a node's queued messages.
 *
 * QF1. `append` resolves when the records are flushed. Records that come while others are written go with the next write.
 * QF2. A last line that was cut off is no record: nobody was told that it is there. Any other damaged line makes the file unreadable: it is set
 *      aside as `FILE.damaged`, and the queue begins empty.
 * QF3. Once it holds {@link REWRITE_BYTES} and twice what is alive, it is written anew beside itself and renamed.
 */
import { type FileHandle, open, readFile, rename } from "node:fs/promises";
import { decodeRecord, encodeRecord, type QueueRecord } from "./queue-record.ts";

/** Bytes below which a file is not written anew. */
export const REWRITE_BYTES: number = 1024 * 1024;

/** Where records are kept. */
export interface QueueStore {
  append(records: readonly QueueRecord[]): Promise<void>;
}

/** What was in a file. */
export interface OpenedQueue {
  readonly file: QueueFile;
  readonly records: readonly QueueRecord[];
  /** Whether it was damaged and set aside. */
  readonly damaged: boolean;
}

/** An open file. */
export class QueueFile implements QueueStore {
  readonly #path: string;
  /** What a file that is written anew has to hold. */
  readonly #alive: () => readonly QueueRecord[];
  #handle: FileHandle;
  #bytes: number;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  private constructor(path: string, handle: FileHandle, bytes: number, alive: () => readonly QueueRecord[]) {
    this.#path = path;
    this.#handle = handle;
    this.#bytes = bytes;
    this.#alive = alive;
  }

  /** Open it, or make it. `alive` is asked whenever it is written anew: records whose `append` was called are in it. */
  static async open(path: string, alive: () => readonly QueueRecord[]): Promise<OpenedQueue> {
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw error;
    });
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    let records: readonly QueueRecord[] = [];
    let damaged = false;
    try {
      records = whole.split("\n").slice(0, -1).map(decodeRecord);
    } catch {
      damaged = true;
      await rename(path, `${path}.damaged`);
    }
    const handle = await open(path, "a", 0o600);
    const bytes = damaged ? 0 : Buffer.byteLength(whole);
    if (!damaged && whole.length < text.length) await handle.truncate(bytes);
    return { file: new QueueFile(path, handle, bytes, alive), records, damaged };
  }

  /** Keep records (QF1). @throws what the file system refuses */
  append(records: readonly QueueRecord[]): Promise<void> {
    if (records.length === 0) return this.#writing ?? Promise.resolve();
    this.#waiting.push(...records.map(encodeRecord));
    const before = this.#writing ?? Promise.resolve();
    const written = before.catch(() => undefined).then(() => this.#write());
    this.#writing = written;
    return written;
  }

  /** Let it go when everything is written. */
  async close(): Promise<void> {
    await this.#writing?.catch(() => undefined);
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    const lines = this.#waiting.splice(0);
    if (lines.length === 0) return; // Written with those before.
    const text = lines.join("");
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes >= REWRITE_BYTES) await this.#rewrite();
  }

  /** QF3. */
  async #rewrite(): Promise<void> {
    const text = this.#alive().map(encodeRecord).join("");
    const bytes = Buffer.byteLength(text);
    if (bytes * 2 > this.#bytes) return;
    const next = await open(`${this.#path}.new`, "w", 0o600);
    try {
      await next.writeFile(text);
      await next.datasync();
    } finally {
      await next.close();
    }
    await rename(`${this.#path}.new`, this.#path);
    await this.#handle.close();
    this.#handle = await open(this.#path, "a", 0o600);
    this.#bytes = bytes;
  }
}
