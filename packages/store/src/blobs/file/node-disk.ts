/** The files of a blob store in a folder of this machine. */
import {
  closeSync,
  fstatSync,
  fsync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BlobDisk, BlobFile } from "./disk.ts";

const flush: (fd: number) => Promise<void> = promisify(fsync);

/** The disk under `root`, which exists. */
export class NodeDisk implements BlobDisk {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  folders(): readonly string[] {
    const entries = readdirSync(this.#root, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }

  makeFolder(folder: string): void {
    mkdirSync(join(this.#root, folder), { recursive: true, mode: 0o700 });
  }

  files(folder: string): readonly { readonly name: string; readonly bytes: number }[] {
    const names = readdirSync(join(this.#root, folder));
    return names.flatMap((name) => {
      const found = statSync(join(this.#root, folder, name), { throwIfNoEntry: false });
      return found?.isFile() === true ? [{ name, bytes: found.size }] : [];
    });
  }

  create(path: string): BlobFile {
    return new NodeBlobFile(openSync(join(this.#root, path), "wx", 0o600));
  }

  read(path: string, length: number): Uint8Array | number | undefined {
    let fd: number;
    try {
      fd = openSync(join(this.#root, path), "r");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
      throw error;
    }
    try {
      const { size } = fstatSync(fd);
      if (size !== length) return size;
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const got = readSync(fd, bytes, done, length - done, done);
        if (got === 0) return done;
        done += got;
      }
      return bytes;
    } finally {
      closeSync(fd);
    }
  }

  rename(from: string, to: string): void {
    renameSync(join(this.#root, from), join(this.#root, to));
  }

  remove(path: string): void {
    rmSync(join(this.#root, path), { force: true });
  }

  /** Windows has no such call and needs none. */
  async syncFolder(folder: string): Promise<void> {
    if (process.platform === "win32") return;
    const fd = openSync(join(this.#root, folder), "r");
    try {
      await flush(fd);
    } finally {
      closeSync(fd);
    }
  }

  syncFolders(folders: readonly string[]): void {
    for (const folder of process.platform === "win32" ? [] : folders) {
      const fd = openSync(join(this.#root, folder), "r");
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    }
  }
}

class NodeBlobFile implements BlobFile {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
  }

  sync(): Promise<void> {
    return flush(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
