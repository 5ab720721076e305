/** The functions over paths: opening a file or folder, and asking what lies at a path. Nothing can be made or changed. */

import { type Files, fileStatus } from "./descriptors.ts";
import { ERRNO, type Errno } from "./errno.ts";
import { storeU32, textAt } from "./guest-views.ts";
import { MOST_DESCRIPTORS } from "./state.ts";

const OPEN = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
const WRITE_RIGHT = 1n << 6n;

/** The functions, by name. */
export function pathCalls(files: Files): Readonly<Record<string, (...args: never[]) => number>> {
  return {
    path_open: (
      fd: number,
      _follow: number,
      path: number,
      length: number,
      how: number,
      rights: bigint,
      _inheriting: bigint,
      _flags: number,
      out: number,
    ) => openPath(files, { fd, path, length, how, rights, out }),
    path_filestat_get(fd: number, _follow: number, path: number, length: number, out: number) {
      const found = lookUp(files, fd, path, length);
      if (typeof found === "number") return found;
      return fileStatus(files, found, out);
    },
  };
}

interface Opening {
  readonly fd: number;
  readonly path: number;
  readonly length: number;
  readonly how: number;
  readonly rights: bigint;
  readonly out: number;
}

function openPath(files: Files, { fd, path, length, how, rights, out }: Opening): Errno {
  const { state, access } = files;
  const found = lookUp(files, fd, path, length);
  if (found === ERRNO.noent && (how & OPEN.create) !== 0) return ERRNO.rofs;
  if (typeof found === "number") return found;
  if ((how & OPEN.create) !== 0 && (how & OPEN.exclusive) !== 0) return ERRNO.exist;
  if ((how & OPEN.directory) !== 0 && found.kind !== "directory") return ERRNO.notdir;
  const writes = (rights & WRITE_RIGHT) !== 0n && found.kind === "file";
  if (writes || (how & OPEN.truncate) !== 0) return ERRNO.rofs;
  if (state.descriptors.size >= MOST_DESCRIPTORS) return ERRNO.mfile;
  const free = lowestFree(state.descriptors);
  if (!storeU32(access.memory, out, free)) return ERRNO.fault;
  state.descriptors.set(free, { ...found, at: 0 });
  return ERRNO.success;
}

function lookUp(
  { state, access, tree }: Files,
  fd: number,
  pointer: number,
  length: number,
): { readonly kind: "file" | "directory"; readonly path: string } | Errno {
  const base = state.descriptors.get(fd >>> 0);
  if (base === undefined) return ERRNO.badf;
  if (base.kind !== "directory") return ERRNO.notdir;
  const text = textAt(access.memory, pointer, length);
  if (text === undefined) return ERRNO.inval;
  if (text.startsWith("/")) return ERRNO.notcapable;
  const path = tree.resolve(base.path, text);
  if (path === undefined) return ERRNO.notcapable;
  const node = tree.at(path);
  if (node === undefined) return ERRNO.noent;
  return { kind: node.kind, path };
}

function lowestFree(taken: ReadonlyMap<number, unknown>): number {
  let fd = 0;
  while (taken.has(fd)) fd++;
  return fd;
}
