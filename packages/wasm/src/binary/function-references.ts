/**
 * Where a module names functions by index outside of code: exports, the start section, element segments, constants of globals.
 *
 * FR1. Each reference comes with the bytes of its index, so that it can be replaced without understanding what is around it.
 */
import { MalformedModuleError } from "../errors.ts";
import { KIND, type ModuleOutline, type SectionRange, skipConstant } from "./outline.ts";
import { ByteReader } from "./reader.ts";

/** One index. */
export interface FunctionReference {
  /** Section it lies in. */
  readonly section: number;
  readonly start: number;
  readonly end: number;
  readonly index: number;
}

const GLOBALS = 6;
const EXPORTS = 7;
const START = 8;
const ELEMENTS = 9;
const END = 0x0b;
const REF_FUNC = 0xd2;

/** Every reference, in the order of the bytes. @throws MalformedModuleError, UnsupportedFeatureError */
export function functionReferences(bytes: Uint8Array, outline: ModuleOutline): FunctionReference[] {
  const found: FunctionReference[] = [];
  for (const range of outline.sections) {
    const walk = WALKS[range.id];
    if (walk === undefined) continue;
    const reader = new ByteReader(bytes, range.body, range.end);
    walk(reader, (start, index) => found.push({ section: range.id, start, end: reader.at, index }));
  }
  return found;
}

/**
 * The functions a table can come to hold, and so a `call_indirect` can reach: those that element segments, constants of globals
 * or `ref.func` in code (`referred`) name, in order.
 */
export function tabledFunctions(
  references: readonly FunctionReference[],
  referred: Iterable<number>,
): number[] {
  const named = references.filter(({ section }) => section === ELEMENTS || section === GLOBALS);
  return [...new Set([...named.map(({ index }) => index), ...referred])].sort((a, b) => a - b);
}

type Found = (start: number, index: number) => void;

function referenceAt(reader: ByteReader, found: Found): void {
  const start = reader.at;
  found(start, reader.u32());
}

const WALKS: Readonly<Record<number, (reader: ByteReader, found: Found) => void>> = {
  [GLOBALS](reader, found) {
    for (let left = reader.count(); left > 0; left--) {
      reader.skip(2);
      constant(reader, found);
    }
  },
  [EXPORTS](reader, found) {
    for (let left = reader.count(); left > 0; left--) {
      reader.name();
      if (reader.u8() === KIND.function) referenceAt(reader, found);
      else reader.u32();
    }
  },
  [START]: referenceAt,
  [ELEMENTS](reader, found) {
    for (let left = reader.count(); left > 0; left--) segment(reader, found);
  },
};

/** A segment: flag bit 0 passive or declarative, bit 1 explicit table (or declarative), bit 2 expressions instead of indices. */
function segment(reader: ByteReader, found: Found): void {
  const flags = reader.u32();
  if (flags > 7) throw new MalformedModuleError(`an element segment has the flags ${flags}`);
  const active = (flags & 1) === 0;
  const explicit = (flags & 2) !== 0;
  if (active && explicit) reader.u32();
  if (active) constant(reader, found);
  if (!active || explicit) reader.u8();
  const expressions = (flags & 4) !== 0;
  for (let left = reader.count(); left > 0; left--)
    if (expressions) constant(reader, found);
    else referenceAt(reader, found);
}

/** A constant expression; a `ref.func` in it is a reference. */
function constant(reader: ByteReader, found: Found): void {
  if (reader.bytes[reader.at] === REF_FUNC) {
    reader.u8();
    referenceAt(reader, found);
    if (reader.u8() !== END) throw new MalformedModuleError(`a constant does not end at byte ${reader.at}`);
  } else skipConstant(reader);
}

/** Sections whose references were replaced: id to new content. `moved` gives the new index of an old one. */
export function redirected(
  bytes: Uint8Array,
  sections: readonly SectionRange[],
  references: readonly FunctionReference[],
  rewrite: (index: number) => readonly number[],
): Map<number, Uint8Array> {
  const contents = new Map<number, Uint8Array>();
  for (const { id, body, end } of sections) {
    const own = references.filter(({ section }) => section === id);
    if (own.length === 0) continue;
    const parts: number[] = [];
    let at = body;
    for (const reference of own) {
      for (; at < reference.start; at++) parts.push(bytes[at] as number);
      parts.push(...rewrite(reference.index));
      at = reference.end;
    }
    for (; at < end; at++) parts.push(bytes[at] as number);
    contents.set(id, Uint8Array.from(parts));
  }
  return contents;
}
