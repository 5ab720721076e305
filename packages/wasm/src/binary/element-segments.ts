/** Element segments of a module: where each is put, and the functions it names. */
import { MalformedModuleError } from "../errors.ts";
import { type ModuleOutline, skipConstant } from "./outline.ts";
import { ByteReader } from "./reader.ts";
import { SECTION } from "./sections.ts";

/** One segment. */
export interface ElementSegment {
  /** The table an active segment is copied to at the start; undefined for passive and declarative ones. */
  readonly table: number | undefined;
  /** Where to, when that is a constant of its own. */
  readonly offset: number | undefined;
  /** Functions by index; null where an entry is null or not a function known by its bytes. */
  readonly functions: readonly (number | null)[];
}

const I32_CONST = 0x41;
const END = 0x0b;
const REF_FUNC = 0xd2;

/** All segments, in order. @throws MalformedModuleError, UnsupportedFeatureError */
export function elementSegments(bytes: Uint8Array, { sections }: ModuleOutline): ElementSegment[] {
  const range = sections.find(({ id }) => id === SECTION.elements);
  if (range === undefined) return [];
  const reader = new ByteReader(bytes, range.body, range.end);
  return Array.from({ length: reader.count() }, () => segment(reader));
}

/** Flag bit 0: passive or declarative; bit 1: explicit table (or declarative); bit 2: expressions instead of indices. */
function segment(reader: ByteReader): ElementSegment {
  const flags = reader.u32();
  if (flags > 7) throw new MalformedModuleError(`an element segment has the flags ${flags}`);
  const active = (flags & 1) === 0;
  const explicit = (flags & 2) !== 0;
  const named = active && explicit ? reader.u32() : 0;
  const offset = active ? constantOffset(reader) : undefined;
  if (!active || explicit) reader.u8();
  const functions = Array.from({ length: reader.count() }, () =>
    (flags & 4) === 0 ? reader.u32() : functionOf(reader),
  );
  return { table: active ? named : undefined, offset, functions };
}

function constantOffset(reader: ByteReader): number | undefined {
  const { bytes, at } = reader;
  skipConstant(reader);
  if (bytes[at] !== I32_CONST) return undefined;
  const constant = new ByteReader(bytes, at + 1, reader.at);
  const value = constant.s32();
  return constant.u8() === END ? value : undefined;
}

function functionOf(reader: ByteReader): number | null {
  const { bytes, at } = reader;
  skipConstant(reader);
  return bytes[at] === REF_FUNC ? new ByteReader(bytes, at + 1, reader.at).u32() : null;
}
