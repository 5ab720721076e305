/** Reading and writing the structures of WASI preview 1 in guest memory; every one is checked before it is touched. */

import type { GuestMemory } from "@glia-os/abi/ports";

/** One piece of a scattered read or gathered write. */
export type Piece = Uint8Array;

/** Most pieces of one read or write. */
const MOST_PIECES = 1024;

/** A view to write `length` bytes of a structure, or undefined when any of it lies outside. */
export function structure(memory: GuestMemory, pointer: number, length: number): DataView | undefined {
  const bytes = memory.writes(pointer, length);
  return bytes === undefined ? undefined : new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Store a u32; whether it could be. */
export function storeU32(memory: GuestMemory, pointer: number, value: number): boolean {
  const view = structure(memory, pointer, 4);
  view?.setUint32(0, value, true);
  return view !== undefined;
}

/** Store a u64; whether it could be. */
export function storeU64(memory: GuestMemory, pointer: number, value: bigint): boolean {
  const view = structure(memory, pointer, 8);
  view?.setBigUint64(0, value, true);
  return view !== undefined;
}

/** The pieces of an array of `{pointer, length}`; undefined when there are too many or any lies outside. */
export function piecesOf(
  memory: GuestMemory,
  pointer: number,
  count: number,
  use: "reads" | "writes",
): Piece[] | undefined {
  const pieces = count >>> 0;
  if (pieces > MOST_PIECES) return undefined;
  const table = memory.reads(pointer, pieces * 8);
  if (table === undefined) return undefined;
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  const found: Piece[] = [];
  for (let at = 0; at < table.length; at += 8) {
    const piece = memory[use](view.getUint32(at, true), view.getUint32(at + 4, true));
    if (piece === undefined) return undefined;
    found.push(piece);
  }
  return found;
}

/** Copy `source` into pieces until either ends; the bytes copied. */
export function scatter(source: Uint8Array, pieces: readonly Piece[]): number {
  let done = 0;
  for (const piece of pieces) {
    const part = source.subarray(done, done + piece.length);
    piece.set(part);
    done += part.length;
    if (part.length < piece.length) break;
  }
  return done;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A path, or undefined when it lies outside or is not UTF-8. */
export function textAt(memory: GuestMemory, pointer: number, length: number): string | undefined {
  try {
    const bytes = memory.reads(pointer, length);
    return bytes === undefined ? undefined : utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
