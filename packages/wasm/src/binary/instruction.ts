/**
 * Reads one instruction after the other: the core instructions of WebAssembly 2.0 (sign extension, saturating conversions, bulk
 * memory, multiple values, reference types, SIMD) with the memory index of the multi-memory proposal.
 *
 * IN1. Every opcode is either known here, with its immediates, or refused by name: an instruction is never skipped by guess.
 * IN2. One object is reused for all instructions; its fields hold until the next call of `next`.
 * IN3. O(code size), no recursion, no allocation per instruction except for branch tables (skipped, not kept).
 *
 * Opcodes and immediates: WebAssembly core specification 2.0, section 5.4.
 */
import { MalformedModuleError, UnsupportedFeatureError } from "../errors.ts";
import { ByteReader } from "./reader.ts";

/** Opcodes that other files speak of by name. */
export const OP = {
  unreachable: 0x00,
  nop: 0x01,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  tableSet: 0x26,
  memoryGrow: 0x40,
  i32Const: 0x41,
  i64Const: 0x42,
  i32GtU: 0x4b,
  i64LtS: 0x53,
  i64Sub: 0x7d,
  i64ExtendI32U: 0xad,
  refFunc: 0xd2,
  bulk: 0xfc,
  simd: 0xfd,
} as const;

/** Operations behind {@link OP.bulk}. */
export const BULK = {
  memoryInit: 8,
  dataDrop: 9,
  memoryCopy: 10,
  memoryFill: 11,
  tableInit: 12,
  elemDrop: 13,
  tableCopy: 14,
  tableGrow: 15,
  tableSize: 16,
  tableFill: 17,
} as const;

/** Operations on memory that do as much work as the length on top of the stack says. */
export const MEMORY_BULK: ReadonlySet<number> = new Set([BULK.memoryInit, BULK.memoryCopy, BULK.memoryFill]);
/** The same on tables. */
export const TABLE_BULK: ReadonlySet<number> = new Set([BULK.tableInit, BULK.tableCopy, BULK.tableFill]);

const EXCEPTIONS = new Set([0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f]);
const TAIL_CALLS = new Set([0x12, 0x13, 0x15]);
const TYPED_REFERENCES = new Set([0x14, 0xd3, 0xd4, 0xd5, 0xd6]);

/** A cursor over the instructions of a range of bytes. */
export class Instructions {
  readonly reader: ByteReader;
  /** First byte of the instruction. */
  start = 0;
  /** First byte after it. */
  end = 0;
  opcode = 0;
  /** What follows a prefix opcode ({@link OP.bulk}, {@link OP.simd}); 0 for others. */
  operation = 0;
  /** First index or constant: of a local, global, function, type, label; the value of `i32.const`. 0 where there is none. */
  immediate = 0;
  /** Second index of a bulk operation; 0 where there is none. */
  second = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.reader = new ByteReader(bytes, start, end);
  }

  /** Go to the next instruction; false at the end. @throws UnsupportedFeatureError, MalformedModuleError */
  next(): boolean {
    const { reader } = this;
    if (reader.done) return false;
    this.start = reader.at;
    const opcode = reader.u8();
    this.opcode = opcode;
    this.operation = 0;
    this.immediate = 0;
    this.second = 0;
    if (opcode >= 0x45 && opcode <= 0xc4) {
      // Numeric: no immediates.
    } else if (opcode >= 0x28 && opcode <= 0x3e) memoryArgument(reader);
    else if (opcode >= 0x20 && opcode <= 0x26) this.immediate = reader.u32();
    else (IMMEDIATES[opcode] ?? refuse(opcode))(this, reader);
    this.end = reader.at;
    return true;
  }
}

type Read = (it: Instructions, reader: ByteReader) => void;

const none: Read = () => undefined;
const index: Read = (it, reader) => {
  it.immediate = reader.u32();
};
const signed: Read = (_, reader) => reader.skipLeb(5);
const list =
  (extra: number): Read =>
  (_, reader) => {
    for (let left = reader.count() + extra; left > 0; left--) reader.skipLeb(5);
  };

/** What follows each opcode outside the numeric, variable and memory ranges. */
const IMMEDIATES: Readonly<Record<number, Read>> = {
  0: none, // unreachable
  1: none, // nop
  2: signed, // block
  3: signed, // loop
  4: signed, // if
  5: none, // else
  11: none, // end
  12: index, // br
  13: index, // br_if
  14: list(1), // br_table
  15: none, // return
  16: index, // call
  17: (it, reader) => {
    it.immediate = reader.u32(); // call_indirect: type and table
    reader.u32();
  },
  26: none, // drop
  27: none, // select
  28: list(0), // select with types
  63: index, // memory.size
  64: index, // memory.grow
  65: (it, reader) => {
    it.immediate = reader.s32(); // i32.const
  },
  66: (_, reader) => reader.skipLeb(10), // i64.const
  67: (_, reader) => reader.skip(4), // f32.const
  68: (_, reader) => reader.skip(8), // f64.const
  208: signed, // ref.null
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

/** Indices that follow each bulk operation. */
const BULK_INDICES = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function bulk(it: Instructions, reader: ByteReader): void {
  it.operation = reader.u32();
  const indices = BULK_INDICES[it.operation];
  if (indices === undefined)
    throw new UnsupportedFeatureError(`opcode 0xfc ${it.operation}`, "it is not known to this build");
  if (indices > 0) it.immediate = reader.u32();
  if (indices > 1) it.second = reader.u32();
}

function simd(it: Instructions, reader: ByteReader): void {
  const operation = reader.u32();
  it.operation = operation;
  if (operation >= 0x100)
    throw new UnsupportedFeatureError("relaxed SIMD", "its results differ between machines");
  const lanes = operation >= 84 && operation <= 91;
  if (operation <= 11 || operation === 92 || operation === 93 || lanes) memoryArgument(reader);
  if (operation === 12 || operation === 13) reader.skip(16);
  if ((operation >= 21 && operation <= 34) || lanes) reader.skip(1);
}
