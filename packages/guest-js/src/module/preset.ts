/**
 * Makes a module whose fresh instances are in a given state: memory becomes its data, and the globals of the state start with their values.
 *
 * PS1. Code, types, imports and tables are those of the engine, byte for byte; only the sections of memory, globals and data
 *      are written again, and the former start function is no longer called. The state must be one in which no call is suspended that matters (the frames are left out).
 * PS2. The output depends on its inputs alone.
 *
 * Binary format: WebAssembly core specification 2.0, section 5.5.
 */
import type { InstanceImage } from "@glia-os/abi/ports";
import { EngineMismatchError } from "../errors.ts";
import { ByteCursor } from "./byte-cursor.ts";
import { leb, sectionBytes, signedLeb } from "./wasm-bytes.ts";

const IMPORTS = 2;
const GLOBALS = 6;
const EXPORTS = 7;
/** The former start function as the pipeline exports it: what it does is part of the state already. */
const START_EXPORT = "glia.start";
/** Prefix of the exports of globals that are part of the state. */
const GLOBAL_EXPORT = "glia.global.";
/** The counter of fuel, which the host sets at each step. */
const FUEL_EXPORT = "glia.fuel";
const GLOBAL_KIND = 3;
const DATA = 11;
const DATA_COUNT = 12;
const PAGE_BYTES = 65_536;
/** Zeros that are cheaper to leave out than to write: the cost of another segment, and of its copy at each spawn. */
const GAP_BYTES = 64;
const VALUE_TYPES = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;

/** The engine `module` with `image` as what its instances start with. @throws EngineMismatchError */
export function presetModule(module: Uint8Array, image: InstanceImage): Uint8Array {
  const { memory, globals } = image.sections;
  if (memory === undefined || globals === undefined) throw new EngineMismatchError("its state has no memory");
  const parts: Uint8Array[] = [module.subarray(0, 8)];
  const segments = dataSegments(memory);
  const inState = stateGlobals(module);
  const cursor = new ByteCursor(module, 8, module.length);
  while (!cursor.done) {
    const start = cursor.at;
    const id = cursor.byte();
    const body = cursor.view(cursor.u32());
    if (id === IMPORTS) parts.push(sectionBytes(id, importSection(body, memory.length / PAGE_BYTES)));
    else if (id === GLOBALS) parts.push(sectionBytes(id, globalSection(body, globals, inState)));
    else if (id === EXPORTS) parts.push(sectionBytes(id, exportSection(body)));
    else if (id === DATA_COUNT) parts.push(sectionBytes(id, [Uint8Array.from(leb(segments.length))]));
    else if (id === DATA)
      parts.push(sectionBytes(id, [Uint8Array.from(leb(segments.length)), ...segments.flat()]));
    else parts.push(module.subarray(start, cursor.at));
  }
  return Buffer.concat(parts);
}

/** The imports, with the memory's first size set: it is the last bytes of the entry `glia.v1 memory`. */
function importSection(body: ByteCursor, pages: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const count = body.u32();
  parts.push(Uint8Array.from(leb(count)));
  for (let i = 0; i < count; i++) {
    const start = body.at;
    body.skip(body.u32());
    body.skip(body.u32());
    const kind = body.byte();
    if (kind === 0) body.u32();
    else if (kind !== 2) throw new EngineMismatchError("it imports more than functions and a memory");
    else {
      const limits = body.at;
      const flags = body.byte();
      body.u32();
      const maximum = body.u32();
      parts.push(body.between(start, limits), Uint8Array.from([flags, ...leb(pages), ...leb(maximum)]));
      continue;
    }
    parts.push(body.between(start, body.at));
  }
  return parts;
}

/** The exports without the start function. */
function exportSection(body: ByteCursor): Uint8Array[] {
  const kept: Uint8Array[] = [];
  for (let left = body.u32(); left > 0; left--) {
    const start = body.at;
    const name = exportName(body);
    body.skip(1);
    body.u32();
    if (name !== START_EXPORT) kept.push(body.between(start, body.at));
  }
  return [Uint8Array.from(leb(kept.length)), ...kept];
}

/** The indices of the globals an image holds: those exported as `glia.global.N`, without the counter of fuel. */
function stateGlobals(module: Uint8Array): ReadonlySet<number> {
  const found = new Set<number>();
  let fuel = -1;
  const cursor = new ByteCursor(module, 8, module.length);
  while (!cursor.done) {
    const id = cursor.byte();
    const body = cursor.view(cursor.u32());
    if (id !== EXPORTS) continue;
    for (let left = body.u32(); left > 0; left--) {
      const name = exportName(body);
      const kind = body.byte();
      const index = body.u32();
      if (kind === GLOBAL_KIND && name === `${GLOBAL_EXPORT}${index}`) found.add(index);
      if (kind === GLOBAL_KIND && name === FUEL_EXPORT) fuel = index;
    }
  }
  found.delete(fuel);
  return found;
}

function exportName(body: ByteCursor): string {
  const length = body.u32();
  const name = Buffer.from(body.between(body.at, body.at + length)).toString();
  body.skip(length);
  return name;
}

/** The globals, with the values of those in the image taken from it (8 bytes each, in index order). */
function globalSection(body: ByteCursor, values: Uint8Array, inState: ReadonlySet<number>): Uint8Array[] {
  const view = new DataView(values.buffer, values.byteOffset, values.length);
  const count = body.u32();
  const parts: Uint8Array[] = [Uint8Array.from(leb(count))];
  let taken = 0;
  for (let i = 0; i < count; i++) {
    const start = body.at;
    const type = body.byte();
    body.byte();
    body.constantExpression();
    if (!inState.has(i)) parts.push(body.between(start, body.at));
    else parts.push(Uint8Array.from([type, 1, ...constant(type, view, 8 * taken++), 0x0b]));
  }
  if (8 * taken !== values.length)
    throw new EngineMismatchError(`it has ${taken} mutable globals, not those of its state`);
  return parts;
}

function constant(type: number, view: DataView, at: number): number[] {
  const bytes = (length: number): number[] => [...new Uint8Array(view.buffer, view.byteOffset + at, length)];
  switch (type) {
    case VALUE_TYPES.i32:
      return [0x41, ...signedLeb(BigInt(view.getInt32(at, true)))];
    case VALUE_TYPES.i64:
      return [0x42, ...signedLeb(view.getBigInt64(at, true))];
    case VALUE_TYPES.f64:
      return [0x44, ...bytes(8)];
    default:
      throw new EngineMismatchError(`it has a global of type ${type}`);
  }
}

/** Active segments for everything that is not zero. */
function dataSegments(memory: Uint8Array): Uint8Array[][] {
  const words = new Uint32Array(memory.buffer, memory.byteOffset, memory.length >> 2);
  const gap = GAP_BYTES >> 2;
  const segments: Uint8Array[][] = [];
  for (let at = 0; at < words.length; at++) {
    if (words[at] === 0) continue;
    let end = at + 1;
    for (let next = end; next < words.length && next - end < gap; next++)
      if (words[next] !== 0) end = next + 1;
    const content = memory.subarray(4 * at, 4 * end);
    const head = [0, 0x41, ...signedLeb(BigInt(4 * at)), 0x0b, ...leb(content.length)];
    segments.push([Uint8Array.from(head), content]);
    at = end;
  }
  return segments;
}
