/**
 * The files that are counted.
 *
 * FI1. Regular files only, recursively, in byte order of names; symbolic links below the root are not followed.
 * FI2. A folder or file that cannot be read fails the run, naming it; nothing is skipped in silence.
 * FI3. Paths are bytes, because file names need not be text.
 */
import { constants, type Dirent } from "node:fs";
import { access, lstat, readdir, stat } from "node:fs/promises";
import {
  InputEmptyError,
  InputMissingError,
  InputNotDirectoryError,
  InputTooManyError,
  InputUnreadableError,
} from "../errors.ts";

/** Most files of one run; their paths are held in memory. */
export const FILES_MAX = 1_000_000;

/** A file as the first pass found it. */
export interface CorpusFile {
  readonly path: Buffer;
  /** Its size then; it may have another one when it is read. */
  readonly bytes: number;
}

/** What is counted. */
export interface Corpus {
  readonly root: string;
  readonly files: readonly CorpusFile[];
  /** Sum of the sizes of the first pass. */
  readonly bytes: number;
}

/** Which names below the root belong to it. */
export interface CorpusFilter {
  readonly enters: (folder: string) => boolean;
  readonly takes: (file: string) => boolean;
}

/** Every file. */
export const EVERY_FILE: CorpusFilter = { enters: () => true, takes: () => true };

const SEPARATOR = Buffer.from("/");

/** List the files under `root` (FI1 to FI3). @throws the `cli.input-*` errors. */
export async function listCorpus(root: string, filter: CorpusFilter = EVERY_FILE): Promise<Corpus> {
  await checkRoot(root);
  const files: CorpusFile[] = [];
  let bytes = 0;
  const pending: Buffer[] = [Buffer.from(root)];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const below: Buffer[] = [];
    for (const entry of await entriesOf(folder)) {
      const path = Buffer.concat([folder, SEPARATOR, entry.name]);
      const name = entry.name.toString();
      if (entry.isDirectory() && filter.enters(name)) below.push(path);
      if (!entry.isFile() || !filter.takes(name)) continue;
      if (files.length === FILES_MAX) throw new InputTooManyError(root, FILES_MAX);
      const size = await readableSize(path);
      files.push({ path, bytes: size });
      bytes += size;
    }
    pending.push(...below.reverse());
  }
  if (files.length === 0) throw new InputEmptyError(root);
  return { root, files, bytes };
}

async function checkRoot(root: string): Promise<void> {
  const found = await stat(root).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") throw new InputMissingError(root);
    if (cause.code === "ENOTDIR") throw new InputNotDirectoryError(root);
    throw new InputUnreadableError(root, cause);
  });
  if (!found.isDirectory()) throw new InputNotDirectoryError(root);
}

async function entriesOf(folder: Buffer): Promise<Dirent<Buffer>[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, encoding: "buffer" });
    return entries.sort((a, b) => Buffer.compare(a.name, b.name));
  } catch (cause) {
    throw new InputUnreadableError(folder.toString(), cause);
  }
}

async function readableSize(path: Buffer): Promise<number> {
  try {
    await access(path, constants.R_OK);
    return (await lstat(path)).size;
  } catch (cause) {
    throw new InputUnreadableError(path.toString(), cause);
  }
}
