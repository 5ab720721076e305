/**
 * The pass that makes a module mark every page of memory 0 it writes, in a memory of its own: the write barrier of pre-copy.
 *
 * MW1. After every store, and after every fill, copy or initialisation in bulk, the marks of all pages it wrote are set: of the
 *      first and of the last byte of a store, which may lie in two pages. Nothing else changes: not one index, branch or export.
 * MW2. The marks come after the write, which traps when its range lies outside memory, so that a mark never lies outside.
 * MW3. It runs after asyncify and after fuel, so frames, globals and fuel are those of the module it was given; what it keeps in
 *      locals lives within one write and across no call.
 * MW4. The same bytes for the same module. O(code size), no recursion.
 */
import { SNAPSHOT_PAGE_BYTES } from "@glia-os/abi/wire";
import { bodyHead, writeBody } from "../binary/body.ts";
import { Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, KIND, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { ByteWriter, name, signed, u32 } from "../binary/writer.ts";
import { UnsupportedFeatureError } from "../errors.ts";
import { DIRTY_EXPORT, PAGE_BYTES } from "../layout.ts";
import { importedFunctions } from "../metering/call-graph.ts";
import { type MemoryWrite, writeAt } from "./memory-writes.ts";
import { ScratchLocals } from "./scratch-locals.ts";

const I32 = 0x7f;
const VOID = 0x40;
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_SHR_U = 0x76;
const I32_STORE8 = 0x3a;
const MEMORY_FILL = 11;
/** Alignment 1, with a memory index to follow. */
const INDEXED = 0x40;
const PAGE_SHIFT = Math.log2(SNAPSHOT_PAGE_BYTES);
const MARKS_PER_MEMORY_PAGE = PAGE_BYTES / SNAPSHOT_PAGE_BYTES;
const same = (index: number): number => index;

/** The module with its writes marked. @throws UnsupportedFeatureError, MalformedModuleError */
export function markWrites(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  if (outline.exports.some((one) => one.name === DIRTY_EXPORT))
    throw new UnsupportedFeatureError(`the export ${DIRTY_EXPORT}`, "it is the name of the marks of pages");
  const imported = importedFunctions(outline);
  const marks = outline.memories.length;
  const out = new ByteWriter(bytes.length * 2);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const head = bodyHead(bytes, body, outline.functions[imported + at] as FunctionType);
    const scratch = new ScratchLocals(head.locals);
    const edits = markedWrites(new Instructions(bytes, head.code, body.end), scratch, marks);
    writeBody(out, bytes, head, scratch.types, rewriteCode(bytes, head.code, body.end, edits, same));
  }
  const most = (outline.memories[0]?.maximum ?? 0) * MARKS_PER_MEMORY_PAGE;
  const pages = u32(Math.max(1, Math.ceil(most / PAGE_BYTES)));
  return withSections(
    bytes,
    outline,
    new Map([
      [SECTION.memories, withEntries(bytes, outline, SECTION.memories, [[1, ...pages, ...pages]])],
      [
        SECTION.exports,
        withEntries(bytes, outline, SECTION.exports, [[...name(DIRTY_EXPORT), KIND.memory, ...u32(marks)]]),
      ],
      [SECTION.code, out.done()],
    ]),
  );
}

function markedWrites(code: Instructions, scratch: ScratchLocals, marks: number): Edit[] {
  const edits: Edit[] = [];
  while (code.next()) {
    const write = writeAt(code);
    if (write === undefined) continue;
    const { start, end } = code;
    const instruction = [...code.reader.bytes.subarray(start, end)];
    const bytes =
      write.kind === "store"
        ? markedStore(write, instruction, scratch, marks)
        : markedBulk(instruction, scratch, marks);
    edits.push({ start, end, bytes });
  }
  return edits;
}

/** Address and value on the stack: kept, written, and both ends of the range marked. */
function markedStore(
  { offset, width, type }: Extract<MemoryWrite, { kind: "store" }>,
  store: readonly number[],
  scratch: ScratchLocals,
  marks: number,
): number[] {
  const address = scratch.of("address", I32);
  const value = scratch.of(`value ${type}`, type);
  const mark = (at: number): number[] => [
    OP.localGet,
    ...address,
    ...(at === 0 ? [] : [...constant(at), I32_ADD]),
    ...constant(PAGE_SHIFT),
    I32_SHR_U,
    ...constant(1),
    I32_STORE8,
    INDEXED,
    ...u32(marks),
    0,
  ];
  const kept = [OP.localSet, ...value, OP.localTee, ...address, OP.localGet, ...value];
  return [...kept, ...store, ...mark(offset), ...(width === 1 ? [] : mark(offset + width - 1))];
}

/** Destination, source or value, and length on the stack: kept, written, and the range marked unless it is empty. */
function markedBulk(operation: readonly number[], scratch: ScratchLocals, marks: number): number[] {
  const address = scratch.of("address", I32);
  const value = scratch.of(`value ${I32}`, I32);
  const length = scratch.of("length", I32);
  const kept = [
    ...[OP.localSet, ...length, OP.localSet, ...value, OP.localTee, ...address],
    ...[OP.localGet, ...value, OP.localGet, ...length],
  ];
  const first = [OP.localGet, ...address, ...constant(PAGE_SHIFT), I32_SHR_U];
  const end = [OP.localGet, ...address, OP.localGet, ...length, I32_ADD, ...constant(1), I32_SUB];
  const count = [...end, ...constant(PAGE_SHIFT), I32_SHR_U, ...first, I32_SUB, ...constant(1), I32_ADD];
  const fill = [OP.bulk, MEMORY_FILL, ...u32(marks)];
  const marked = [...first, ...constant(1), ...count, ...fill];
  return [...kept, ...operation, OP.localGet, ...length, OP.if, VOID, ...marked, OP.end];
}

/** `i32.const`; offsets are unsigned and take the same 32 bits. */
function constant(value: number): number[] {
  return [OP.i32Const, ...signed(value | 0)];
}
