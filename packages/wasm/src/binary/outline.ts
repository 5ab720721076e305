/**
 * What a module declares, read from its sections: types, imports, functions, tables, memories, globals, exports.
 *
 * O1. Features whose declarations this reader does not know (garbage-collected types, typed references, tags, shared or
 *     64-bit memories) are refused by name; nothing is skipped over silently.
 * O2. O(module size); no allocation larger than the module itself.
 */
import { MalformedModuleError, NotAModuleError, UnsupportedFeatureError } from "../errors.ts";
import { ByteReader } from "./reader.ts";

/** Where a section lies: `start` is its id byte, `body` its first content byte. */
export interface SectionRange {
  readonly id: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** A function type; value types by their byte in the binary format. */
export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

/** Sizes of a memory (64 KiB pages) or table (elements). */
export interface Limits {
  readonly minimum: number;
  readonly maximum: number | undefined;
}

/** A global's type. */
export interface GlobalType {
  readonly type: number;
  readonly mutable: boolean;
}

/** The kind byte of imports and exports. */
export const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;

/** One import. `type` is set for functions, `limits` for memories. */
export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: number;
  readonly type: FunctionType | undefined;
  readonly limits: Limits | undefined;
  readonly start: number;
  readonly end: number;
}

/** One export. */
export interface ModuleExport {
  readonly name: string;
  readonly kind: number;
  readonly index: number;
}

/** Everything a module declares. Index spaces include imports first. */
export interface ModuleOutline {
  readonly sections: readonly SectionRange[];
  readonly types: readonly FunctionType[];
  readonly imports: readonly ModuleImport[];
  readonly functions: readonly FunctionType[];
  readonly tables: readonly (Limits & { readonly element: number })[];
  readonly memories: readonly Limits[];
  readonly globals: readonly GlobalType[];
  readonly exports: readonly ModuleExport[];
  readonly start: number | undefined;
  readonly customs: readonly { readonly name: string; readonly content: Uint8Array }[];
  /** Function bodies, without their size: `start` is the first byte of the locals. */
  readonly bodies: readonly { readonly start: number; readonly end: number }[];
}

type Building = {
  -readonly [Key in keyof ModuleOutline]: ModuleOutline[Key] extends readonly (infer T)[]
    ? T[]
    : ModuleOutline[Key];
};

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const VALUE_TYPES = new Set([0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f]);

/** Read what `bytes` declares. @throws NotAModuleError, MalformedModuleError, UnsupportedFeatureError */
export function readOutline(bytes: Uint8Array): ModuleOutline {
  if (bytes.length < 8) throw new NotAModuleError(`it is ${bytes.length} bytes long`);
  if (HEADER.some((byte, at) => bytes[at] !== byte))
    throw new NotAModuleError("it does not start with the module header");
  const out: Building = {
    sections: [],
    types: [],
    imports: [],
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    exports: [],
    start: undefined,
    customs: [],
    bodies: [],
  };
  const reader = new ByteReader(bytes, 8);
  while (!reader.done) {
    const start = reader.at;
    const id = reader.u8();
    const length = reader.u32();
    const body = reader.at;
    reader.skip(length);
    out.sections.push({ id, start, body, end: reader.at });
    readSection(id, new ByteReader(bytes, body, reader.at), out);
  }
  return out;
}

function readSection(id: number, reader: ByteReader, out: Building): void {
  if (id === 0) {
    const name = reader.name();
    out.customs.push({ name, content: reader.bytes.subarray(reader.at, reader.end) });
    return;
  }
  const read = SECTIONS[id];
  if (read === undefined)
    throw new UnsupportedFeatureError(`section ${id}`, "its meaning is not known to this build");
  read(reader, out);
}

const SECTIONS: Readonly<Record<number, (reader: ByteReader, out: Building) => void>> = {
  1: (reader, out) => each(reader, () => out.types.push(functionType(reader))),
  2: (reader, out) => each(reader, () => readImport(reader, out)),
  3: (reader, out) => each(reader, () => out.functions.push(typeAt(out, reader.u32()))),
  4: (reader, out) => each(reader, () => out.tables.push(tableType(reader))),
  5: (reader, out) => each(reader, () => out.memories.push(memoryLimits(reader))),
  6: (reader, out) =>
    each(reader, () => {
      out.globals.push(globalType(reader));
      skipConstant(reader);
    }),
  7: (reader, out) =>
    each(reader, () => out.exports.push({ name: reader.name(), kind: reader.u8(), index: reader.u32() })),
  8: (reader, out) => {
    out.start = reader.u32();
  },
  9: () => undefined,
  10: (reader, out) =>
    each(reader, () => {
      const size = reader.u32();
      const start = reader.at;
      reader.skip(size);
      out.bodies.push({ start, end: reader.at });
    }),
  11: () => undefined,
  12: () => undefined,
};

function each(reader: ByteReader, read: () => void): void {
  for (let left = reader.count(); left > 0; left--) read();
}

function typeAt(out: Building, index: number): FunctionType {
  const type = out.types[index];
  if (type === undefined) throw new MalformedModuleError(`there is no type ${index}`);
  return type;
}

function functionType(reader: ByteReader): FunctionType {
  if (reader.u8() !== 0x60)
    throw new UnsupportedFeatureError("garbage collection", "its heap is outside every limit of a guest");
  const list = (): number[] => Array.from({ length: reader.count() }, () => valueType(reader));
  return { params: list(), results: list() };
}

function valueType(reader: ByteReader): number {
  const type = reader.u8();
  if (!VALUE_TYPES.has(type))
    throw new UnsupportedFeatureError(
      `the value type 0x${type.toString(16)}`,
      "such references cannot be taken as bytes",
    );
  return type;
}

function readImport(reader: ByteReader, out: Building): void {
  const start = reader.at;
  const module = reader.name();
  const name = reader.name();
  const kind = reader.u8();
  let type: FunctionType | undefined;
  let limits: Limits | undefined;
  if (kind === KIND.function) {
    type = typeAt(out, reader.u32());
    out.functions.push(type);
  } else if (kind === KIND.table) out.tables.push(tableType(reader));
  else if (kind === KIND.memory) {
    limits = memoryLimits(reader);
    out.memories.push(limits);
  } else if (kind === KIND.global) out.globals.push(globalType(reader));
  else throw unknownImport(kind);
  out.imports.push({ module, name, kind, type, limits, start, end: reader.at });
}

function unknownImport(kind: number): UnsupportedFeatureError {
  return kind === 4
    ? new UnsupportedFeatureError("exception tags", "a suspended handler cannot be taken as bytes")
    : new UnsupportedFeatureError(`an import of kind ${kind}`, "its meaning is not known to this build");
}

function tableType(reader: ByteReader): Limits & { readonly element: number } {
  const element = valueType(reader);
  const flags = reader.u8();
  if (flags > 1)
    throw new UnsupportedFeatureError("64-bit or shared tables", "guests are 32-bit and single-threaded");
  return { element, ...limits(reader, flags) };
}

function memoryLimits(reader: ByteReader): Limits {
  const flags = reader.u8();
  if ((flags & 2) !== 0) throw new UnsupportedFeatureError("shared memory", "a guest has one thread");
  if (flags > 1) throw new UnsupportedFeatureError("64-bit memory or custom page sizes", "guests are 32-bit");
  return limits(reader, flags);
}

function limits(reader: ByteReader, flags: number): Limits {
  return { minimum: reader.u32(), maximum: flags === 1 ? reader.u32() : undefined };
}

function globalType(reader: ByteReader): GlobalType {
  const type = valueType(reader);
  const mutable = reader.u8();
  if (mutable > 1) throw new UnsupportedFeatureError("shared globals", "a guest has one thread");
  return { type, mutable: mutable === 1 };
}

/** Skip a constant expression: constants, global.get, ref.func, ref.null and the arithmetic of extended constants. */
export function skipConstant(reader: ByteReader): void {
  for (;;) {
    const opcode = reader.u8();
    if (opcode === 0x0b) return;
    if (opcode === 0x41) reader.skipLeb(5);
    else if (opcode === 0x42) reader.skipLeb(10);
    else if (opcode === 0x43) reader.skip(4);
    else if (opcode === 0x44) reader.skip(8);
    else if (opcode === 0x23 || opcode === 0xd2 || opcode === 0xd0) reader.skipLeb(5);
    else if (opcode === 0xfd && reader.u32() === 12) reader.skip(16);
    else if (![0x6a, 0x6b, 0x6c, 0x7c, 0x7d, 0x7e].includes(opcode))
      throw new UnsupportedFeatureError(
        `opcode 0x${opcode.toString(16)} in a constant`,
        "it is not known to this build",
      );
  }
}
