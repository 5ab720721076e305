/**
 * The functions over descriptors: reading, writing, seeking, asking what they are.
 *
 * D1. Every range of guest memory a call names is checked before the call changes anything; then it is done or refused as a whole.
 */

import type { GuestAccess } from "@glia-os/abi/ports";
import { ERRNO, type Errno, FILETYPE } from "./errno.ts";
import type { FileTree } from "./file-tree.ts";
import { type Piece, piecesOf, scatter, storeU32, storeU64, structure } from "./guest-views.ts";
import { type Descriptor, ROOT_DESCRIPTOR, type WasiState } from "./state.ts";
import { writeStream } from "./streams.ts";

/** What the calls of one guest work on. */
export interface Files {
  readonly access: GuestAccess;
  readonly state: WasiState;
  readonly tree: FileTree;
}

/** Reading is allowed, seeking and telling, listing, asking; bits of witx `rights`. */
const STREAM_RIGHTS = (1n << 1n) | (1n << 6n) | (1n << 21n) | (1n << 27n);
const ALL_RIGHTS = (1n << 30n) - 1n;
const STAT_BYTES = 64;
const WHENCE = { set: 0, current: 1, end: 2 } as const;

/** The functions, by name. */
export function descriptorCalls(files: Files): Readonly<Record<string, (...args: never[]) => number>> {
  const { state, access } = files;
  const { memory } = access;
  const known = (fd: number): boolean => state.descriptors.has(fd >>> 0);
  return {
    fd_advise: (fd: number) => (known(fd) ? ERRNO.success : ERRNO.badf),
    fd_sync: (fd: number) => (known(fd) ? ERRNO.success : ERRNO.badf),
    fd_datasync: (fd: number) => (known(fd) ? ERRNO.success : ERRNO.badf),
    fd_close: (fd: number) => (state.descriptors.delete(fd >>> 0) ? ERRNO.success : ERRNO.badf),
    fd_renumber: (from: number, to: number) => renumber(state, from >>> 0, to >>> 0),
    fd_fdstat_get: (fd: number, out: number) => describe(files, fd, out),
    fd_filestat_get: (fd: number, out: number) => {
      const descriptor = state.descriptors.get(fd >>> 0);
      return descriptor === undefined ? ERRNO.badf : fileStatus(files, descriptor, out);
    },
    fd_prestat_get(fd: number, out: number) {
      if (fd !== ROOT_DESCRIPTOR || !known(fd)) return ERRNO.badf;
      const view = structure(memory, out, 8);
      view?.setUint32(0, 0, true);
      view?.setUint32(4, 1, true);
      return view === undefined ? ERRNO.fault : ERRNO.success;
    },
    fd_prestat_dir_name(fd: number, out: number, length: number) {
      if (fd !== ROOT_DESCRIPTOR || !known(fd)) return ERRNO.badf;
      if (length >>> 0 < 1) return ERRNO.nametoolong;
      const target = memory.writes(out, 1);
      target?.set([0x2f]);
      return target === undefined ? ERRNO.fault : ERRNO.success;
    },
    fd_read: (fd: number, table: number, count: number, out: number) => read(files, fd, table, count, out),
    fd_pread: (fd: number, table: number, count: number, offset: bigint, out: number) =>
      read(files, fd, table, count, out, offset),
    fd_write: (fd: number, table: number, count: number, out: number) => write(files, fd, table, count, out),
    fd_seek: (fd: number, offset: bigint, whence: number, out: number) =>
      seek(files, fd, offset, whence, out),
    fd_tell: (fd: number, out: number) => seek(files, fd, 0n, WHENCE.current, out),
    fd_readdir: (fd: number, out: number, length: number, cookie: bigint, used: number) =>
      list(files, fd, { out, length, cookie, used }),
  };
}

function renumber(state: WasiState, from: number, to: number): Errno {
  const moved = state.descriptors.get(from);
  if (moved === undefined || !state.descriptors.has(to)) return ERRNO.badf;
  state.descriptors.delete(from);
  state.descriptors.set(to, moved);
  return ERRNO.success;
}

function describe({ state, access }: Files, fd: number, out: number): Errno {
  const descriptor = state.descriptors.get(fd >>> 0);
  if (descriptor === undefined) return ERRNO.badf;
  const view = structure(access.memory, out, 24);
  if (view === undefined) return ERRNO.fault;
  const { kind } = descriptor;
  const seekable = kind === "file" || kind === "directory";
  view.setBigUint64(0, 0n, true);
  view.setUint8(0, filetypeOf(kind));
  // Without the rights to seek and tell a character device counts as a terminal, and C libraries write line by line.
  view.setBigUint64(8, seekable ? ALL_RIGHTS : STREAM_RIGHTS, true);
  view.setBigUint64(16, kind === "directory" ? ALL_RIGHTS : 0n, true);
  return ERRNO.success;
}

function filetypeOf(kind: Descriptor["kind"]): number {
  if (kind === "file") return FILETYPE.regular;
  return kind === "directory" ? FILETYPE.directory : FILETYPE.character;
}

/** Write the status of what a descriptor, or a path looked up already, stands for. */
export function fileStatus(
  { access, tree }: Files,
  { kind, path }: Pick<Descriptor, "kind" | "path">,
  out: number,
): Errno {
  const view = structure(access.memory, out, STAT_BYTES);
  if (view === undefined) return ERRNO.fault;
  const node = kind === "file" || kind === "directory" ? tree.at(path) : undefined;
  for (let at = 0; at < STAT_BYTES; at += 8) view.setBigUint64(at, 0n, true);
  view.setBigUint64(8, node?.inode ?? 0n, true);
  view.setUint8(16, filetypeOf(kind));
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, node?.kind === "file" ? BigInt(node.bytes.length) : 0n, true);
  return ERRNO.success;
}

/** What a descriptor reads from; an error number when it cannot be read. */
function sourceOf({ state, tree }: Files, descriptor: Descriptor): Uint8Array | Errno {
  if (descriptor.kind === "stdin") return state.launch.stdin;
  if (descriptor.kind === "directory") return ERRNO.isdir;
  const node = descriptor.kind === "file" ? tree.at(descriptor.path) : undefined;
  return node?.kind === "file" ? node.bytes : ERRNO.badf;
}

function read(files: Files, fd: number, table: number, count: number, out: number, offset?: bigint): Errno {
  const { state, access } = files;
  const descriptor = state.descriptors.get(fd >>> 0);
  if (descriptor === undefined) return ERRNO.badf;
  const source = sourceOf(files, descriptor);
  if (typeof source === "number") return source;
  if (offset !== undefined && descriptor.kind === "stdin") return ERRNO.spipe;
  const pieces = piecesOf(access.memory, table, count, "writes");
  if (pieces === undefined || access.memory.writes(out, 4) === undefined) return ERRNO.fault;
  const from = offset === undefined ? descriptor.at : Number(BigInt.asUintN(64, offset));
  const done = scatter(source.subarray(Math.min(from, source.length)), pieces);
  if (offset === undefined) descriptor.at += done;
  storeU32(access.memory, out, done);
  return ERRNO.success;
}

function write({ state, access }: Files, fd: number, table: number, count: number, out: number): Errno {
  const kind = state.descriptors.get(fd >>> 0)?.kind;
  if (kind !== "stdout" && kind !== "stderr") return ERRNO.badf;
  const pieces = piecesOf(access.memory, table, count, "reads");
  if (pieces === undefined || access.memory.writes(out, 4) === undefined) return ERRNO.fault;
  const refusal = writeStream(state, access, kind === "stdout" ? 1 : 2, pieces);
  if (refusal === ERRNO.success) storeU32(access.memory, out, bytesOf(pieces));
  return refusal;
}

function bytesOf(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function seek(files: Files, fd: number, offset: bigint, whence: number, out: number): Errno {
  const descriptor = files.state.descriptors.get(fd >>> 0);
  if (descriptor === undefined) return ERRNO.badf;
  if (descriptor.kind === "directory") return ERRNO.badf;
  const source = descriptor.kind === "file" ? sourceOf(files, descriptor) : ERRNO.spipe;
  if (typeof source === "number") return source;
  const bases: Record<number, number> = {
    [WHENCE.set]: 0,
    [WHENCE.current]: descriptor.at,
    [WHENCE.end]: source.length,
  };
  const base = bases[whence];
  const target = base === undefined ? -1n : BigInt(base) + offset;
  if (target < 0n || target > BigInt(Number.MAX_SAFE_INTEGER)) return ERRNO.inval;
  if (!storeU64(files.access.memory, out, target)) return ERRNO.fault;
  descriptor.at = Number(target);
  return ERRNO.success;
}

interface Listing {
  readonly out: number;
  readonly length: number;
  readonly cookie: bigint;
  readonly used: number;
}

const utf8 = new TextEncoder();
const ENTRY_BYTES = 24;

/** Entries from `cookie` on, the last one cut off where the buffer ends, as the interface asks for. */
function list({ state, access, tree }: Files, fd: number, { out, length, cookie, used }: Listing): Errno {
  const descriptor = state.descriptors.get(fd >>> 0);
  if (descriptor === undefined) return ERRNO.badf;
  const folder = descriptor.kind === "directory" ? tree.at(descriptor.path) : undefined;
  if (folder?.kind !== "directory") return ERRNO.notdir;
  const target = access.memory.writes(out, length);
  if (target === undefined || access.memory.writes(used, 4) === undefined) return ERRNO.fault;
  const entries = [".", "..", ...folder.names];
  let filled = 0;
  for (
    let next = Number(BigInt.asUintN(52, cookie));
    next < entries.length && filled < target.length;
    next++
  ) {
    const entry = entryOf(tree, descriptor.path, entries[next] as string, next + 1);
    target.set(entry.subarray(0, target.length - filled), filled);
    filled += Math.min(entry.length, target.length - filled);
  }
  storeU32(access.memory, used, filled);
  return ERRNO.success;
}

function entryOf(tree: FileTree, folder: string, name: string, next: number): Uint8Array {
  const node = tree.at(tree.resolve(folder, name) ?? "");
  const text = utf8.encode(name);
  const entry = new Uint8Array(ENTRY_BYTES + text.length);
  const view = new DataView(entry.buffer);
  view.setBigUint64(0, BigInt(next), true);
  view.setBigUint64(8, node?.inode ?? 0n, true);
  view.setUint32(16, text.length, true);
  view.setUint8(20, node?.kind === "file" ? FILETYPE.regular : FILETYPE.directory);
  entry.set(text, ENTRY_BYTES);
  return entry;
}
