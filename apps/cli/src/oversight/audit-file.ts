/**
 * The file of an audit: lines that are flushed before `append` resolves, many with one flush.
 *
 * FA1. After a write or a flush failed nothing more is appended: what is on the disk is not known then.
 * FA2. A last line without its end is what a crash left of a write that nobody was told of. It is cut off.
 */
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { AppendFile } from "@glia-os/durable";

const LINE_END = 0x0a;

/** An open file. */
export interface OpenAuditFile extends AppendFile {
  close(): Promise<void>;
}

/** Open or begin a file for appending. @throws what the system says */
export async function openAuditFile(path: string): Promise<OpenAuditFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, "a+", 0o600);
  try {
    const bytes = await file.readFile();
    const whole = bytes.lastIndexOf(LINE_END) + 1;
    if (whole < bytes.length) await file.truncate(whole);
    await file.sync();
    await flushFolder(dirname(path));
    return new AuditFile(file, bytes.subarray(0, whole));
  } catch (error) {
    await file.close();
    throw error;
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

class AuditFile implements OpenAuditFile {
  readonly #file: Handle;
  readonly #bytes: Uint8Array;
  #waiting: { readonly bytes: Uint8Array; readonly done: PromiseWithResolvers<void> }[] = [];
  #busy: Promise<void> | undefined;
  #failed: unknown;

  constructor(file: Handle, bytes: Uint8Array) {
    this.#file = file;
    this.#bytes = bytes;
  }

  async read(): Promise<Uint8Array> {
    return this.#bytes;
  }

  append(bytes: Uint8Array): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ bytes, done });
    this.#busy ??= this.#write();
    return done.promise;
  }

  async close(): Promise<void> {
    await this.#busy;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const together = this.#waiting.splice(0);
      try {
        if (this.#failed !== undefined) throw this.#failed;
        await this.#file.appendFile(Buffer.concat(together.map(({ bytes }) => bytes)));
        await this.#file.datasync();
        for (const { done } of together) done.resolve();
      } catch (error) {
        this.#failed = error;
        for (const { done } of together) done.reject(error);
      }
    }
    this.#busy = undefined;
  }
}

async function flushFolder(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
