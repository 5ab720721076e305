/**
 * Blobs as files, each named by its hash in one of 256 folders (docs/spec/blobs.md).
 *
 * Flushes run a few at a time, because a disk takes many for little more than the time of one.
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

/** Fewer than the threads Node has for such calls, which the whole process shares. */
const FLUSHES_AT_ONCE = 3;

type Prepared = { readonly temporary: string } | { readonly error: unknown };

/** A shelf on some disk. */
export class FileShelf implements BlobShelf {
  readonly #disk: BlobDisk;
  readonly #folders: Set<string>;
  /** Folders with a name that is not flushed; "" is the root. */
  readonly #unflushed: Set<string> = new Set();
  /** Blobs that were flushed under a temporary name, or why they could not be. */
  readonly #prepared: Map<string, Prepared> = new Map();
  #temporaries = 0;
  #failed: WriteFailedError | undefined;

  /** Remove what was never named, and flush the names that are there (F4). */
  constructor(disk: BlobDisk) {
    this.#disk = disk;
    disk.makeFolder(TEMPORARY);
    for (const { name } of disk.files(TEMPORARY)) disk.remove(pathOf(TEMPORARY, name));
    this.#folders = new Set(disk.folders().filter((name) => FOLDER.test(name)));
    disk.syncFolders(["", ...this.#folders]);
  }

  *found(): Iterable<FoundBlob> {
    for (const folder of this.#folders)
      for (const { name, bytes } of this.#disk.files(folder))
        if (NAME.test(name) && name.startsWith(folder)) yield { hash: name, bytes };
  }

  /** Write and flush blobs that `write` may be called for next (F1). Nothing is thrown yet. */
  async prepare(blobs: readonly { readonly hash: string; readonly bytes: Uint8Array }[]): Promise<void> {
    await aFewAtOnce(blobs, async ({ hash, bytes }) => {
      if (!this.#prepared.has(hash)) this.#prepared.set(hash, await this.#written(bytes));
    });
  }

  /** F1. Bytes that could not be written get no name, so nothing changed (`store.full` and the like). */
  write(hash: string): void {
    if (this.#failed !== undefined) throw this.#failed;
    const prepared = this.#prepared.get(hash);
    if (prepared === undefined) throw new WriteFailedError(`blob ${hash} was not prepared`);
    this.#prepared.delete(hash);
    if ("error" in prepared) throw prepared.error;
    const folder = folderOf(hash);
    this.#make(folder);
    this.#guarded(() => this.#disk.rename(prepared.temporary, pathOf(folder, hash)));
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
  async commit(): Promise<void> {
    for (const prepared of this.#prepared.values())
      if ("temporary" in prepared) this.#discard(prepared.temporary);
    this.#prepared.clear();
    if (this.#failed !== undefined) throw this.#failed;
    try {
      await aFewAtOnce([...this.#unflushed], (folder) => this.#disk.syncFolder(folder));
    } catch (error) {
      throw this.#fail(error);
    }
    this.#unflushed.clear();
  }

  async #written(bytes: Uint8Array): Promise<Prepared> {
    const temporary = pathOf(TEMPORARY, String(++this.#temporaries));
    try {
      const file = this.#disk.create(temporary);
      try {
        file.write(bytes);
        await file.sync();
      } finally {
        file.close();
      }
      return { temporary };
    } catch (error) {
      this.#discard(temporary);
      return { error };
    }
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

  #guarded(change: () => void): void {
    try {
      change();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** F3. */
  #fail(error: unknown): WriteFailedError {
    this.#failed = new WriteFailedError(diskFailure(error)?.message ?? String(error));
    return this.#failed;
  }
}

/** Do something for each, {@link FLUSHES_AT_ONCE} at a time. Ends when all ended. @throws what the first failure threw. */
async function aFewAtOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  const workers = Array.from({ length: FLUSHES_AT_ONCE }, async () => {
    for (const one of rest) await work(one);
  });
  const failed = (await Promise.allSettled(workers)).find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

function folderOf(hash: string): string {
  return hash.slice(0, 2);
}

function pathOf(folder: string, name: string): string {
  return `${folder}/${name}`;
}
