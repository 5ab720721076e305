/**
 * Which instructions write memory 0, and what they write (WebAssembly core specification 2.0, section 5.4).
 *
 * ME1. Every instruction that writes linear memory is in this file. Writes of other memories, which hold suspended calls, are none.
 */
import { BULK, type Instructions, OP } from "../binary/instruction.ts";
import { ByteReader } from "../binary/reader.ts";

/** A write: `width` bytes at a constant offset from the address, with a value of `type`; or a range in bulk. */
export type MemoryWrite =
  | { readonly kind: "store"; readonly offset: number; readonly width: number; readonly type: number }
  | { readonly kind: "bulk" };

const [I32, I64, F32, F64, V128] = [0x7f, 0x7e, 0x7d, 0x7c, 0x7b];

/** Bytes and value type of each store, by opcode. */
const STORES: Readonly<Record<number, readonly [width: number, type: number]>> = {
  54: [4, I32], // i32.store
  55: [8, I64], // i64.store
  56: [4, F32], // f32.store
  57: [8, F64], // f64.store
  58: [1, I32], // i32.store8
  59: [2, I32], // i32.store16
  60: [1, I64], // i64.store8
  61: [2, I64], // i64.store16
  62: [4, I64], // i64.store32
};

/** The same for the vector stores, by operation. */
const VECTOR_STORES: Readonly<Record<number, readonly [width: number, type: number]>> = {
  11: [16, V128], // v128.store
  88: [1, V128], // v128.store8_lane
  89: [2, V128],
  90: [4, V128],
  91: [8, V128],
};

/** What the current instruction writes of memory 0, if anything. */
export function writeAt(code: Instructions): MemoryWrite | undefined {
  const { opcode, operation } = code;
  if (opcode === OP.bulk) return bulkWrite(code);
  const [width, type] = (opcode === OP.simd ? VECTOR_STORES[operation] : STORES[opcode]) ?? [];
  if (width === undefined || type === undefined) return undefined;
  const { memory, offset } = memoryArgument(code);
  return memory === 0 ? { kind: "store", offset, width, type } : undefined;
}

/** Memory and constant offset of the current instruction, which loads or stores. */
export function memoryArgument(code: Instructions): { readonly memory: number; readonly offset: number } {
  const reader = immediates(code);
  const indexed = (reader.u32() & 0x40) !== 0;
  const memory = indexed ? reader.u32() : 0;
  return { memory, offset: reader.u32() };
}

/** Destination of a fill is the only index, of a copy the first, of an initialisation the second. */
function bulkWrite(code: Instructions): MemoryWrite | undefined {
  const { operation } = code;
  if (operation !== BULK.memoryFill && operation !== BULK.memoryCopy && operation !== BULK.memoryInit)
    return undefined;
  const reader = immediates(code);
  if (operation === BULK.memoryInit) reader.u32();
  return reader.u32() === 0 ? { kind: "bulk" } : undefined;
}

/** What follows opcode and operation. */
function immediates({ reader, start, end, opcode }: Instructions): ByteReader {
  const after = new ByteReader(reader.bytes, start + 1, end);
  if (opcode === OP.bulk || opcode === OP.simd) after.u32();
  return after;
}
