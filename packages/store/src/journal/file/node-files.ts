/** Journal files in a folder of this machine. */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { JournalFile, JournalFiles } from "./files.ts";

const ZEROS: Uint8Array = new Uint8Array(2 ** 20);

/** The files of `folder`, which exists. Those opened for reading only cannot be written. */
export class NodeFiles implements JournalFiles {
  readonly #folder: string;
  readonly #mode: "r" | "r+";

  constructor(folder: string, mode: "r" | "r+" = "r+") {
    this.#folder = folder;
    this.#mode = mode;
  }

  list(): readonly string[] {
    return readdirSync(this.#folder);
  }

  open(name: string): JournalFile {
    return new NodeFile(openSync(join(this.#folder, name), this.#mode), join(this.#folder, name));
  }

  create(name: string, bytes: number): JournalFile {
    const path = join(this.#folder, name);
    const fd = openSync(path, "wx+", 0o600);
    try {
      const file = new NodeFile(fd, path);
      for (let at = 0; at < bytes; at += ZEROS.length) file.write(at, ZEROS.subarray(0, bytes - at));
      fsyncSync(fd);
      this.#syncFolder();
      return new NodeFile(fd, path);
    } catch (error) {
      closeSync(fd);
      rmSync(path, { force: true });
      throw error;
    }
  }

  remove(name: string): void {
    rmSync(join(this.#folder, name));
  }

  /** Makes the name of a new file durable. Windows has no such call and needs none. */
  #syncFolder(): void {
    if (process.platform === "win32") return;
    const fd = openSync(this.#folder, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

class NodeFile implements JournalFile {
  readonly #fd: number;
  readonly #path: string;
  readonly size: number;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
    this.size = fstatSync(fd).size;
  }

  read(at: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const got = this.#got(bytes, done, at + done);
      if (got === 0) return bytes.subarray(0, done);
      done += got;
    }
    return bytes;
  }

  /** The errors of a read name no file by themselves. */
  #got(bytes: Uint8Array, done: number, at: number): number {
    try {
      return readSync(this.#fd, bytes, done, bytes.length - done, at);
    } catch (error) {
      throw Object.assign(error as Error, { path: this.#path });
    }
  }

  write(at: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#fd, bytes, done, bytes.length - done, at + done);
  }

  sync(): void {
    fdatasyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
