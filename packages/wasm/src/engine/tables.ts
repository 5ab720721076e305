/**
 * What tables hold, as bytes: the part of a guest's state that is functions.
 *
 * TB1. A function is written as its place in the table `glia.functions`, which the pipeline fills with every function that a table
 *      can come to hold, and which no code touches. Restored from bytes, a table holds those functions and nothing else.
 * TB2. Only tables that code changes are written; the others are as the module makes them.
 * TB3. Sizes and places are checked before a table is touched.
 */
import type { GuestShape } from "../admission.ts";
import { SnapshotMismatchError } from "../errors.ts";
import { FUNCTIONS_EXPORT } from "../layout.ts";
import type { FunctionTable, Namespace } from "../web-assembly.ts";

const ENTRY_BYTES = 4;
/** Stands for an entry that holds nothing; places count from one. */
const NULL_ENTRY = 0;

/** Places of an instance's functions; made at its first snapshot. */
const places = new WeakMap<Namespace, ReadonlyMap<object, number>>();

function placesOf(exports: Namespace): ReadonlyMap<object, number> {
  const known = places.get(exports);
  if (known !== undefined) return known;
  const functions = exports[FUNCTIONS_EXPORT] as FunctionTable;
  const made = new Map<object, number>();
  for (let at = 0; at < functions.length; at++) made.set(functions.get(at) as object, at + 1);
  places.set(exports, made);
  return made;
}

/** The tables: for each its size, then its entries, all u32 little-endian. O(entries). */
export function encodeTables(exports: Namespace, tables: GuestShape["tables"]): Uint8Array {
  const all = tables.map(({ exportName }) => exports[exportName] as FunctionTable);
  const known = placesOf(exports);
  const total = all.reduce((sum, { length }) => sum + length + 1, 0);
  const view = new DataView(new ArrayBuffer(total * ENTRY_BYTES));
  let to = 0;
  const put = (value: number): void => {
    view.setUint32(to, value, true);
    to += ENTRY_BYTES;
  };
  for (const table of all) {
    put(table.length);
    for (let at = 0; at < table.length; at++) {
      const entry = table.get(at);
      put(entry === null ? NULL_ENTRY : (known.get(entry) as number));
    }
  }
  return new Uint8Array(view.buffer);
}

/** Put tables back. @throws SnapshotMismatchError; then no table has changed */
export function restoreTables(exports: Namespace, tables: GuestShape["tables"], bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const functions = exports[FUNCTIONS_EXPORT] as FunctionTable;
  const starts = checkEntries(view, tables, functions.length);
  for (const [index, { exportName }] of tables.entries()) {
    const table = exports[exportName] as FunctionTable;
    const start = starts[index] as number;
    const length = view.getUint32(start, true);
    if (length > table.length) table.grow(length - table.length);
    for (let at = 0; at < length; at++) {
      const place = view.getUint32(start + (at + 1) * ENTRY_BYTES, true);
      table.set(at, place === NULL_ENTRY ? null : functions.get(place - 1));
    }
  }
}

/** Where each table starts (TB3). */
function checkEntries(view: DataView, tables: GuestShape["tables"], functions: number): number[] {
  const starts: number[] = [];
  let at = 0;
  for (const { exportName, minimum, maximum } of tables) {
    const length = at + ENTRY_BYTES <= view.byteLength ? view.getUint32(at, true) : -1;
    if (length < minimum || length > maximum)
      throw new SnapshotMismatchError(exportName, `${length} entries`, `${minimum} to ${maximum}`);
    starts.push(at);
    const end = at + (length + 1) * ENTRY_BYTES;
    if (end > view.byteLength)
      throw new SnapshotMismatchError("section tables", `${view.byteLength} bytes`, `${end} or more`);
    for (at += ENTRY_BYTES; at < end; at += ENTRY_BYTES) {
      const place = view.getUint32(at, true);
      if (place > functions)
        throw new SnapshotMismatchError(`an entry of ${exportName}`, String(place), `at most ${functions}`);
    }
  }
  if (at !== view.byteLength)
    throw new SnapshotMismatchError("section tables", `${view.byteLength} bytes`, `${at}`);
  return starts;
}
