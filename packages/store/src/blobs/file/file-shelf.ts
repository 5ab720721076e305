/**
 * Blobs as files, each named by its hash in one of 256 folders (docs/spec/blobs.md).
 *
 * F1. A file under the name of a hash was written whole and flushed before it got the name.
 * F2. When `commit` returns, every name given or taken away before it is durable. Nothing is acknowledged before.
 * F3. After renaming or flushing a name failed nobody knows what the disk will hold: every later commit is refused.
 * F4. What a former process named without flushing the name is flushed before it counts as there.
 */
import { isGliaError } from "@glia-os/abi/errors";
import { diskFailure } from "../../disk-failure.ts";
import { WriteFailedError } from "../../errors.ts";
import type { BlobShelf, FoundBlob } from "../shelf.ts";
import type { BlobDisk } from "./disk.ts";

/** Where files are before they have the name of a hash. */
const TEMPORARY = "tmp";
const FOLDER = /^[0-9a-f]{2}$/;
const NAME = /^[0-9a-f]{64}$/;

/** A shelf on some disk. */
export class FileShelf implements BlobShelf {
  readonly #disk: BlobDisk;
  readonly #folders: Set<string>;
  /** Folders with a name that is not flushed; "" is the root. */
  readonly #unflushed: Set<string> = new Set();
  #temporaries = 0;
  #failed: WriteFailedError | undefined;

  /** Remove what was never named, and flush the names that are there (F4). */
  constructor(disk: BlobDisk) {
    this.#disk = disk;
    disk.makeFolder(TEMPORARY);
    for (const { name } of disk.files(TEMPORARY)) disk.remove(pathOf(TEMPORARY, name));
    this.#folders = new Set(disk.folders().filter((name) => FOLDER.test(name)));
    for (const folder of ["", ...this.#folders]) disk.syncFolder(folder);
  }

  *found(): Iterable<FoundBlob> {
    for (const folder of this.#folders)
      for (const { name, bytes } of this.#disk.files(folder))
        if (NAME.test(name) && name.startsWith(folder)) yield { hash: name, bytes };
  }

  /** F1. Bytes that cannot be written get no name, so nothing changed (`store.full` and the like). */
  write(hash: string, bytes: Uint8Array): void {
    if (this.#failed !== undefined) throw this.#failed;
    const temporary = pathOf(TEMPORARY, String(++this.#temporaries));
    const folder = folderOf(hash);
    this.#make(folder);
    try {
      const file = this.#disk.create(temporary);
      try {
        file.write(bytes);
        file.sync();
      } finally {
        file.close();
      }
    } catch (error) {
      this.#discard(temporary);
      throw error;
    }
    this.#guarded(() => this.#disk.rename(temporary, pathOf(folder, hash)));
    this.#unflushed.add(folder);
  }

  read(hash: string, length: number): Uint8Array | { readonly damage: string } {
    const read = this.#disk.read(pathOf(folderOf(hash), hash), length);
    if (read === undefined) return { damage: "its file is gone" };
    return typeof read === "number" ? { damage: `its file has ${read} bytes, not ${length}` } : read;
  }

  remove(hash: string): void {
    if (this.#failed !== undefined) throw this.#failed;
    this.#disk.remove(pathOf(folderOf(hash), hash));
    this.#unflushed.add(folderOf(hash));
  }

  /** Flush the names changed since the last commit (F2). @throws `store.write-failed` (F3). */
  commit(): void {
    if (this.#failed !== undefined) throw this.#failed;
    this.#guarded(() => {
      for (const folder of this.#unflushed) this.#disk.syncFolder(folder);
    });
    this.#unflushed.clear();
  }

  #make(folder: string): void {
    if (this.#folders.has(folder)) return;
    this.#disk.makeFolder(folder);
    this.#folders.add(folder);
    this.#unflushed.add("");
  }

  /** Room that a failed write took. When it cannot be given back now, the next opening does. */
  #discard(temporary: string): void {
    try {
      this.#disk.remove(temporary);
    } catch (error) {
      if (!isGliaError(error) && diskFailure(error) === undefined) throw error;
    }
  }

  /** F3. */
  #guarded(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#failed = new WriteFailedError(diskFailure(error)?.message ?? String(error));
      throw this.#failed;
    }
  }
}

function folderOf(hash: string): string {
  return hash.slice(0, 2);
}

function pathOf(folder: string, name: string): string {
  return `${folder}/${name}`;
}
