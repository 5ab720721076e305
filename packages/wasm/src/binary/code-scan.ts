/**
 * Walks every instruction of every function and refuses the ones that would put state where a snapshot cannot see it.
 *
 * C1. Every opcode is either known here, with its immediates, or refused: an instruction is never skipped by guess.
 * C2. After a scan the whole state of an instance is its memories and its mutable globals: tables never change after
 *     instantiation, segments are never dropped or read again, and there are no references to host objects in locals that
 *     a suspended call could hold.
 * C3. O(code size), no recursion.
 *
 * Opcodes and immediates: WebAssembly core specification 2.0, section 5.4; multi-memory flag in `align`: its proposal.
 */
import { MalformedModuleError, UnsupportedFeatureError } from "../errors.ts";
import type { ModuleOutline } from "./outline.ts";
import { ByteReader } from "./reader.ts";

const EXCEPTIONS = new Set([0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f]);
const TAIL_CALLS = new Set([0x12, 0x13, 0x15]);
const TYPED_REFERENCES = new Set([0x14, 0xd3, 0xd4, 0xd5, 0xd6]);

/** Check all code of a module. @throws UnsupportedFeatureError, MalformedModuleError */
export function scanCode(bytes: Uint8Array, outline: ModuleOutline): void {
  for (const { start, end } of outline.bodies) {
    const reader = new ByteReader(bytes, start, end);
    for (let groups = reader.u32(); groups > 0; groups--) {
      reader.u32();
      const type = reader.u8();
      if (type < 0x7b || type > 0x7f)
        throw new UnsupportedFeatureError("reference-typed locals", "they cannot be taken as bytes");
    }
    while (!reader.done) instruction(reader);
  }
}

function instruction(reader: ByteReader): void {
  const opcode = reader.u8();
  if (opcode >= 0x45 && opcode <= 0xc4) return;
  if (opcode >= 0x28 && opcode <= 0x3e) memoryArgument(reader);
  else if (opcode >= 0x20 && opcode <= 0x24) index(reader);
  else (IMMEDIATES[opcode] ?? refuse(opcode))(reader);
}

type Skip = (reader: ByteReader) => void;

const none: Skip = () => undefined;
const index: Skip = (reader) => reader.skipLeb(5);
const list =
  (extra: number): Skip =>
  (reader) => {
    for (let left = reader.count() + extra; left > 0; left--) reader.skipLeb(5);
  };

/** What follows each opcode outside the numeric and memory ranges. */
const IMMEDIATES: Readonly<Record<number, Skip>> = {
  0: none, // unreachable
  1: none, // nop
  2: index, // block
  3: index, // loop
  4: index, // if
  5: none, // else
  11: none, // end
  12: index, // br
  13: index, // br_if
  14: list(1), // br_table
  15: none, // return
  16: index, // call
  17: (reader) => {
    index(reader); // call_indirect: type and table
    index(reader);
  },
  26: none, // drop
  27: none, // select
  28: list(0), // select with types
  37: index, // table.get
  63: index, // memory.size
  64: index, // memory.grow
  65: index, // i32.const
  66: (reader) => reader.skipLeb(10), // i64.const
  67: (reader) => reader.skip(4), // f32.const
  68: (reader) => reader.skip(8), // f64.const
  208: index, // ref.null
  209: none, // ref.is_null
  210: index, // ref.func
  252: bulk,
  253: simd,
};

function refuse(opcode: number): never {
  if (EXCEPTIONS.has(opcode))
    throw new UnsupportedFeatureError("exceptions", "a suspended handler cannot be taken as bytes");
  if (TAIL_CALLS.has(opcode)) throw new UnsupportedFeatureError("tail calls", "they cannot be suspended");
  if (TYPED_REFERENCES.has(opcode))
    throw new UnsupportedFeatureError("typed function references", "they cannot be taken as bytes");
  if (opcode === 0x26) throw tableWrite("table.set");
  if (opcode === 0xfb)
    throw new UnsupportedFeatureError("garbage collection", "its heap is outside every limit of a guest");
  if (opcode === 0xfe) throw new UnsupportedFeatureError("threads", "a guest has one thread");
  throw new UnsupportedFeatureError(`opcode 0x${opcode.toString(16)}`, "it is not known to this build");
}

function memoryArgument(reader: ByteReader): void {
  const align = reader.u32();
  if (align >= 0x80) throw new MalformedModuleError(`alignment ${align} at byte ${reader.at}`);
  if ((align & 0x40) !== 0) reader.skipLeb(5);
  reader.skipLeb(10);
}

function tableWrite(name: string): UnsupportedFeatureError {
  return new UnsupportedFeatureError(name, "a table that changes is not part of a snapshot");
}

const BULK_REFUSED: Readonly<Record<number, string>> = {
  8: "memory.init",
  9: "data.drop",
  12: "table.init",
  13: "elem.drop",
  14: "table.copy",
  15: "table.grow",
  17: "table.fill",
};

function bulk(reader: ByteReader): void {
  const operation = reader.u32();
  const refused = BULK_REFUSED[operation];
  if (refused === "memory.init" || refused === "data.drop" || refused === "elem.drop")
    throw new UnsupportedFeatureError(refused, "which segments were dropped is not part of a snapshot");
  if (refused !== undefined) throw tableWrite(refused);
  if (operation <= 7) return;
  if (operation === 10) reader.skipLeb(5);
  else if (operation !== 11 && operation !== 16)
    throw new UnsupportedFeatureError(`opcode 0xfc ${operation}`, "it is not known to this build");
  reader.skipLeb(5);
}

function simd(reader: ByteReader): void {
  const operation = reader.u32();
  if (operation >= 0x100)
    throw new UnsupportedFeatureError("relaxed SIMD", "its results differ between machines");
  const lanes = operation >= 84 && operation <= 91;
  if (operation <= 11 || operation === 92 || operation === 93 || lanes) memoryArgument(reader);
  if (operation === 12 || operation === 13) reader.skip(16);
  if ((operation >= 21 && operation <= 34) || lanes) reader.skip(1);
}
