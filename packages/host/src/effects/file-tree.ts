/**
 * Files below one folder for `sys.file`.
 *
 * FT1. A path is names joined by `/`, relative to the root; `.` alone is the root. `..`, absolute paths, backslashes and NUL are refused
 *      before the system is asked.
 * FT2. No symbolic link is followed, at any place of a path: it could lead out. A read is checked again after the file was opened, so that
 *      a folder swapped for a link meanwhile gives nothing away.
 * FT3. A write is whole or not at all: the content goes to a new file beside the old one, is flushed, and takes its name.
 * FT4. Sizes are checked before memory is taken: of files to read, of content to write, of folders to list.
 *
 * Whoever can change folders below the root while a write runs can make it land in a folder of theirs; give such people a root of their own.
 */
import { randomBytes } from "node:crypto";
import { constants, realpathSync } from "node:fs";
import { type FileHandle, lstat, open, opendir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CancelSignal, Files } from "@glia-os/abi/ports";
import { AbortedError } from "../errors.ts";
import { FileFailedError, OutsideRootError, TooLargeError } from "./errors.ts";
import { whole } from "./whole.ts";

const WRITE_BYTES = 16_777_216;
const WRITE_BYTES_MOST = 268_435_456;
const NAMES = 10_000;
const NAMES_MOST = 1_000_000;
const NAME_BYTES = 255;
/** Bytes read at a time; a cancelled read stops after the piece it is at. */
const PIECE = 1_048_576;

/** How a tree is bounded. */
export interface FileTreeOptions {
  /** Most bytes of a file that is written: 0 to 268,435,456, default 16,777,216. */
  readonly writeBytes?: number;
  /** Most names of a folder that is listed: 1 to 1,000,000, default 10,000. */
  readonly names?: number;
}

/** Files below a folder, which must exist. @throws {BadOptionError} {FileFailedError} */
export function createFileTree(root: string, options: FileTreeOptions = {}): Files {
  return new FileTree(root, options);
}

class FileTree implements Files {
  readonly #root: string;
  readonly #writeBytes: number;
  readonly #names: number;

  constructor(root: string, { writeBytes = WRITE_BYTES, names = NAMES }: FileTreeOptions) {
    whole("writeBytes", writeBytes, 0, WRITE_BYTES_MOST);
    whole("names", names, 1, NAMES_MOST);
    try {
      this.#root = realpathSync(root);
    } catch (error) {
      throw new FileFailedError("open the root", root, error);
    }
    this.#writeBytes = writeBytes;
    this.#names = names;
  }

  read(path: string, limitBytes: number, cancel?: CancelSignal): Promise<Uint8Array> {
    return attempt("read", path, async () => {
      const full = await this.#locate(path);
      const file = await open(full, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        await this.#same(path, full, file);
        return await readWhole(file, path, limitBytes, cancel);
      } finally {
        await file.close();
      }
    });
  }

  write(path: string, content: Uint8Array, cancel?: CancelSignal): Promise<void> {
    return attempt("write", path, async () => {
      if (content.byteLength > this.#writeBytes)
        throw new TooLargeError(`the content of ${path}`, this.#writeBytes, "bytes");
      const full = await this.#locate(path);
      const old = await lstat(full).catch(() => undefined);
      if (full === this.#root || old?.isDirectory() === true)
        throw new FileFailedError("write", path, { code: "EISDIR" });
      if (old?.isSymbolicLink() === true) throw new OutsideRootError(path, "it is a symbolic link");
      const mode = old === undefined ? 0o666 : old.mode & 0o777;
      const beside = join(dirname(full), `.${randomBytes(12).toString("hex")}.part`);
      try {
        await writeFlushed(beside, content, mode);
        stopIfCancelled(cancel);
        await this.#locate(path);
        await rename(beside, full);
      } catch (error) {
        await rm(beside, { force: true });
        throw error;
      }
    });
  }

  list(path: string, cancel?: CancelSignal): Promise<readonly string[]> {
    return attempt("list", path, async () => {
      const full = await this.#locate(path);
      if ((await realpath(full)) !== full) throw new OutsideRootError(path, "it is a symbolic link");
      if (!(await lstat(full)).isDirectory()) throw new FileFailedError("list", path, { code: "ENOTDIR" });
      const names: string[] = [];
      for await (const { name } of await opendir(full)) {
        stopIfCancelled(cancel);
        if (names.length === this.#names) throw new TooLargeError(`the folder ${path}`, this.#names, "names");
        names.push(name);
      }
      return names.sort((a, b) => (a < b ? -1 : 1));
    });
  }

  /** Where a path leads, when no link lies on the way to its last name (FT1, FT2). */
  async #locate(path: string): Promise<string> {
    const names = namesOf(path);
    if (names.length === 0) return this.#root;
    const folder = join(this.#root, ...names.slice(0, -1));
    if ((await realpath(folder)) !== folder)
      throw new OutsideRootError(path, "a symbolic link lies on its way");
    return join(folder, names.at(-1)!);
  }

  /** Whether what was opened is what the path leads to without a link (FT2), and a file. */
  async #same(path: string, full: string, file: FileHandle): Promise<void> {
    const [opened, now, real] = await Promise.all([file.stat(), stat(full), realpath(full)]);
    if (real !== full || opened.ino !== now.ino || opened.dev !== now.dev)
      throw new OutsideRootError(path, "it was changed while it was opened");
    if (opened.isDirectory()) throw new FileFailedError("read", path, { code: "EISDIR" });
    if (!opened.isFile()) throw new FileFailedError("read", path, { code: "not a file" });
  }
}

function namesOf(path: string): readonly string[] {
  if (path === ".") return [];
  const names = path.split("/");
  for (const name of names) {
    if (name === "" || name === "." || name === "..")
      throw new OutsideRootError(path, "a path is names joined by single slashes");
    if (/[\\\0]/.test(name)) throw new OutsideRootError(path, "a name has a backslash or NUL");
    if (Buffer.byteLength(name) > NAME_BYTES)
      throw new OutsideRootError(path, `a name has over ${NAME_BYTES} bytes`);
  }
  return names;
}

async function readWhole(
  file: FileHandle,
  path: string,
  limit: number,
  cancel: CancelSignal | undefined,
): Promise<Uint8Array> {
  const { size } = await file.stat();
  if (size > limit) throw new TooLargeError(`the file ${path}`, limit, "bytes");
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    stopIfCancelled(cancel);
    // One byte more than the rest of the limit tells a file that grew from one that fits.
    const piece = new Uint8Array(Math.min(PIECE, limit - bytes + 1));
    const { bytesRead } = await file.read(piece, 0, piece.byteLength);
    if (bytesRead === 0) return joined(parts, bytes);
    bytes += bytesRead;
    if (bytes > limit) throw new TooLargeError(`the file ${path}`, limit, "bytes");
    parts.push(piece.subarray(0, bytesRead));
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

async function writeFlushed(path: string, content: Uint8Array, mode: number): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  const file = await open(path, flags, mode);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

function stopIfCancelled(cancel: CancelSignal | undefined): void {
  if (cancel?.cancelled === true) throw new AbortedError(cancel.reason);
}

/** What the system refuses arrives typed, with the path as the caller wrote it. */
async function attempt<Value>(operation: string, path: string, action: () => Promise<Value>): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    if (typeof (error as { syscall?: unknown }).syscall !== "string") throw error;
    if ((error as { code?: string }).code === "ELOOP")
      throw new OutsideRootError(path, "it is a symbolic link");
    throw new FileFailedError(operation, path, error);
  }
}
