/**
 * Which instructions read or write memory 0, and where (WebAssembly core specification 2.0, section 5.4).
 *
 * MA1. Every instruction that touches the content of linear memory is here or, if it writes, in memory-writes.ts. Accesses of other
 *      memories, which hold suspended calls, are none, and neither are `memory.size` and `memory.grow`.
 */
import { memoryArgument, writeAt } from "../barrier/memory-writes.ts";
import { BULK, type Instructions, OP } from "../binary/instruction.ts";

/**
 * An access at a constant offset from an address, with a value of the type `above` that lies above the address on the stack, if any;
 * or a range in bulk, with a second one where the operation reads, too.
 */
export type MemoryAccess =
  | { readonly kind: "single"; readonly offset: number; readonly above: number | undefined }
  | { readonly kind: "bulk"; readonly writes: boolean; readonly reads: boolean };

const V128 = 0x7b;
const FIRST_LOAD = 0x28;
const LAST_LOAD = 0x35;

/** Vector loads by operation, with what lies above the address. */
const VECTOR_LOADS: ReadonlyMap<number, number | undefined> = new Map([
  ...Array.from({ length: 11 }, (_, operation) => [operation, undefined] as const), // v128.load to v128.load64_splat
  ...[84, 85, 86, 87].map((operation) => [operation, V128] as const), // v128.load8_lane to v128.load64_lane
  ...[92, 93].map((operation) => [operation, undefined] as const), // v128.load32_zero, v128.load64_zero
]);

/** What the current instruction touches of memory 0, if anything. */
export function accessAt(code: Instructions): MemoryAccess | undefined {
  const { opcode, operation } = code;
  const copies = opcode === OP.bulk && operation === BULK.memoryCopy;
  const reads = copies && code.second === 0;
  const write = writeAt(code);
  if (write?.kind === "store") return { kind: "single", offset: write.offset, above: write.type };
  if (write !== undefined || reads) return { kind: "bulk", writes: write !== undefined, reads };
  const loads = opcode >= FIRST_LOAD && opcode <= LAST_LOAD;
  if (!loads && (opcode !== OP.simd || !VECTOR_LOADS.has(operation))) return undefined;
  const { memory, offset } = memoryArgument(code);
  const above = loads ? undefined : VECTOR_LOADS.get(operation);
  return memory === 0 ? { kind: "single", offset, above } : undefined;
}
