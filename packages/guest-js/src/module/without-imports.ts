/**
 * Takes imports of a module away: the last functions it imports become functions of its own that trap.
 *
 * WI1. A function keeps its index, because imports come before all others: code, exports and tables stay as they are.
 * WI2. Only imports that are the last functions imported can go; otherwise the module is refused.
 *
 * Binary format: WebAssembly core specification 2.0, section 5.5.
 */
import { EngineMismatchError } from "../errors.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { leb, sectionBytes } from "./wasm-bytes.ts";

const IMPORTS = 2;
const FUNCTIONS = 3;
const CODE = 10;
const FUNCTION_KIND = 0;
const MEMORY_KIND = 2;
const WITH_MAXIMUM = 1;
/** No locals, `unreachable`, end, with its length before. */
const TRAP_BODY = Uint8Array.of(3, 0, 0x00, 0x0b);

interface Import {
  readonly bytes: Uint8Array;
  readonly module: string;
  /** The index of its type, for a function. */
  readonly type: number | undefined;
}

/** The module without the functions it imports from `from`. @throws EngineMismatchError (WI2) */
export function withoutImports(module: Uint8Array, from: string): Uint8Array {
  const imports = importsOf(module);
  const gone = imports.filter((one) => one.module === from);
  requireLast(imports, gone);
  const types = gone.map(({ type }) => Uint8Array.from(leb(type ?? 0)));
  const parts: Uint8Array[] = [module.subarray(0, 8)];
  forEachSection(module, (id, body, whole) => {
    if (id === IMPORTS) {
      const kept = imports.filter((one) => one.module !== from).map(({ bytes }) => bytes);
      parts.push(sectionBytes(id, [Uint8Array.from(leb(kept.length)), ...kept]));
    } else if (id === FUNCTIONS) parts.push(sectionBytes(id, inFront(body, types)));
    else if (id === CODE) {
      const traps = gone.map(() => TRAP_BODY);
      parts.push(sectionBytes(id, inFront(body, traps)));
    } else parts.push(whole);
  });
  return Buffer.concat(parts);
}

/** A vector with entries put before its own. */
function inFront(body: ByteCursor, entries: readonly Uint8Array[]): Uint8Array[] {
  const count = body.u32();
  return [Uint8Array.from(leb(count + entries.length)), ...entries, body.rest()];
}

function requireLast(imports: readonly Import[], gone: readonly Import[]): void {
  const functions = imports.filter(({ type }) => type !== undefined);
  const last = functions.slice(functions.length - gone.length);
  if (gone.some((one, at) => one !== last[at]))
    throw new EngineMismatchError("the imports an agent can go without are not its last ones");
}

function forEachSection(
  module: Uint8Array,
  visit: (id: number, body: ByteCursor, whole: Uint8Array) => void,
): void {
  const cursor = new ByteCursor(module, 8, module.length);
  while (!cursor.done) {
    const start = cursor.at;
    const id = cursor.byte();
    const body = cursor.view(cursor.u32());
    visit(id, body, module.subarray(start, cursor.at));
  }
}

function importsOf(module: Uint8Array): Import[] {
  const found: Import[] = [];
  forEachSection(module, (id, body) => {
    if (id !== IMPORTS) return;
    for (let left = body.u32(); left > 0; left--) found.push(importAt(body));
  });
  return found;
}

function importAt(body: ByteCursor): Import {
  const start = body.at;
  const length = body.u32();
  const module = Buffer.from(body.between(body.at, body.at + length)).toString();
  body.skip(length);
  body.skip(body.u32());
  const kind = body.byte();
  let type: number | undefined;
  if (kind === FUNCTION_KIND) type = body.u32();
  else if (kind !== MEMORY_KIND) throw new EngineMismatchError("it imports more than functions and a memory");
  else {
    const flags = body.byte();
    body.u32();
    if (flags === WITH_MAXIMUM) body.u32();
  }
  return { bytes: body.between(start, body.at), module, type };
}
