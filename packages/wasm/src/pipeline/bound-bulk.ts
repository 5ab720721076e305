/**
 * Before metering: every `memory.fill`, `memory.copy` and `memory.init` that may be long becomes a call of a function, added here,
 * that does it in pieces of at most {@link MOST_BULK_BYTES} in a loop, which metering then checks like any other.
 *
 * BB1. The result is that of the one instruction: a range that lies outside traps before anything is written, and pieces of an
 *      overlapping copy go in the direction that does not overwrite what is still to be read.
 * BB2. There is one such function for fills, one for copies, and one for each segment that code reads.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { type DataSegment, dataSegments } from "../binary/data-segments.ts";
import { BULK, Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { ByteWriter, signed, u32 } from "../binary/writer.ts";
import { importedFunctions } from "../metering/call-graph.ts";
import { MOST_BULK_BYTES } from "../metering/forms.ts";

/** Longest operation of constant length that is left as it is. */
const MOST_SHORT_BYTES = 1024;
const FUNCTION = 0x60;
const I32 = 0x7f;
const same = (index: number): number => index;

/** The module with long bulk operations in pieces. @throws MalformedModuleError, UnsupportedFeatureError */
export function boundBulk(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  const imported = importedFunctions(outline);
  const pieces = new Pieces(bytes, outline);
  const out = new ByteWriter(bytes.length * 2);
  let replaced = 0;
  for (const [at, body] of outline.bodies.entries()) {
    const head = bodyHead(bytes, body, outline.functions[imported + at] as FunctionType);
    const edits = bulkCalls(new Instructions(bytes, head.code, body.end), pieces);
    replaced += edits.length;
    writeBody(out, bytes, head, [], rewriteCode(bytes, head.code, body.end, edits, same));
  }
  return replaced === 0 ? bytes : withPieces(bytes, outline, out.done(), pieces.bodies);
}

function bulkCalls(code: Instructions, pieces: Pieces): Edit[] {
  const edits: Edit[] = [];
  let short = false;
  while (code.next()) {
    const { opcode, operation, start, end } = code;
    const target = opcode === OP.bulk && !short ? pieces.target(operation, code.immediate) : undefined;
    if (target !== undefined) edits.push({ start, end, bytes: [OP.call, ...u32(target)] });
    short = opcode === OP.i32Const && code.immediate >= 0 && code.immediate <= MOST_SHORT_BYTES;
  }
  return edits;
}

/** The functions added: fill, copy, then one for each segment that is read, in order of first use (BB2). */
class Pieces {
  readonly bodies: number[][] = [fillBody(), copyBody()];
  readonly #first: number;
  readonly #segments: readonly DataSegment[];
  readonly #ofSegment = new Map<number, number>();

  constructor(bytes: Uint8Array, outline: ModuleOutline) {
    this.#first = outline.functions.length;
    this.#segments = dataSegments(bytes, outline);
  }

  /** The function to call instead of a bulk operation; undefined for operations that stay. */
  target(operation: number, segment: number): number | undefined {
    if (operation === BULK.memoryFill) return this.#first;
    if (operation === BULK.memoryCopy) return this.#first + 1;
    if (operation !== BULK.memoryInit) return undefined;
    const known = this.#ofSegment.get(segment);
    if (known !== undefined) return known;
    const { passive, bytes } = this.#segments[segment] ?? { passive: false, bytes: 0 };
    const index = this.#first + this.bodies.length;
    this.bodies.push(initBody(segment, passive ? bytes : 0));
    this.#ofSegment.set(segment, index);
    return index;
  }
}

function withPieces(
  bytes: Uint8Array,
  outline: ModuleOutline,
  bodies: Uint8Array,
  added: readonly number[][],
): Uint8Array {
  const type = u32(outline.types.length);
  const code = new Uint8Array([...u32(outline.bodies.length)].length + bodies.length);
  code.set(u32(outline.bodies.length));
  code.set(bodies, code.length - bodies.length);
  return withSections(
    bytes,
    outline,
    new Map([
      [SECTION.types, withEntries(bytes, outline, SECTION.types, [[FUNCTION, 3, I32, I32, I32, 0]])],
      [
        SECTION.functions,
        withEntries(
          bytes,
          outline,
          SECTION.functions,
          added.map(() => type),
        ),
      ],
      [SECTION.code, withEntries(bytes, outline, SECTION.code, added.map(sized), code)],
    ]),
  );
}

function sized(body: readonly number[]): number[] {
  return [...u32(body.length), ...body];
}

/** Parameters, and the local added: destination, value or source, length, length of the piece. */
const [D, V, N, STEP] = [0, 1, 2, 3];
const get = (local: number): number[] => [OP.localGet, local];
const constant = (value: number): number[] => [OP.i32Const, ...signed(value)];
const I32_ADD = 0x6a;
const I32_SUB = 0x6b;
const I32_LE_U = 0x4d;
const I32_LT_U = 0x49;
const I64_GT_U = 0x56;
const I64_ADD = 0x7c;
const I64_SHL = 0x86;
const MEMORY_SIZE = 0x3f;
const SELECT = 0x1b;
const PAGE_SHIFT = 16;
const VOID = 0x40;
const FILL = [OP.bulk, BULK.memoryFill, 0];
const COPY = [OP.bulk, BULK.memoryCopy, 0, 0];
const ONE_LOCAL = [1, 1, I32];

/** `if length <= MOST then do it and return` */
function whenShort(operation: readonly number[]): number[] {
  const run = [...get(D), ...get(V), ...get(N), ...operation, OP.return, OP.end];
  return [...get(N), ...constant(MOST_BULK_BYTES), I32_LE_U, OP.if, VOID, ...run];
}

/** `if local + length > size of memory then unreachable` */
function requireInside(local: number): number[] {
  const end = [...get(local), OP.i64ExtendI32U, ...get(N), OP.i64ExtendI32U, I64_ADD];
  const size = [MEMORY_SIZE, 0, OP.i64ExtendI32U, OP.i64Const, PAGE_SHIFT, I64_SHL];
  return [...end, ...size, I64_GT_U, OP.if, VOID, OP.unreachable, OP.end];
}

/** `step := min(length, MOST)`, left on the stack */
function step(): number[] {
  const both = [...get(N), ...constant(MOST_BULK_BYTES)];
  return [...both, ...both, I32_LT_U, SELECT, OP.localTee, STEP];
}

const lower = (local: number): number[] => [...get(local), ...get(STEP), I32_SUB, OP.localSet, local];
const raise = (local: number): number[] => [...get(local), ...get(STEP), I32_ADD, OP.localSet, local];
const again = (): number[] => [...get(N), OP.brIf, 0, OP.end];

function fillBody(): number[] {
  const piece = [...get(D), ...get(V), ...step(), ...FILL];
  const loop = [OP.loop, VOID, ...piece, ...raise(D), ...lower(N), ...again()];
  return [...ONE_LOCAL, ...whenShort(FILL), ...requireInside(D), ...loop, OP.end];
}

/** As a fill, but the second operand, an offset into the segment of `length` bytes, rises too. */
function initBody(segment: number, length: number): number[] {
  const init = [OP.bulk, BULK.memoryInit, ...u32(segment), 0];
  const end = [...get(V), OP.i64ExtendI32U, ...get(N), OP.i64ExtendI32U, I64_ADD];
  const inside = [...end, OP.i64Const, ...signed(length), I64_GT_U, OP.if, VOID, OP.unreachable, OP.end];
  const piece = [...get(D), ...get(V), ...step(), ...init];
  const loop = [OP.loop, VOID, ...piece, ...raise(D), ...raise(V), ...lower(N), ...again()];
  return [...ONE_LOCAL, ...whenShort(init), ...requireInside(D), ...inside, ...loop, OP.end];
}

function copyBody(): number[] {
  const piece = [...get(D), ...get(V), ...step(), ...COPY];
  const up = [OP.loop, VOID, ...piece, ...raise(D), ...raise(V), ...lower(N), ...again()];
  const from = (local: number): number[] => [...get(local), ...get(N), I32_ADD];
  const shorten = [...get(N), ...step(), I32_SUB, OP.localSet, N];
  const last = [...shorten, ...from(D), ...from(V), ...get(STEP), ...COPY];
  const down = [OP.loop, VOID, ...last, ...again()];
  const both = [...get(D), ...get(V), I32_LE_U, OP.if, VOID, ...up, OP.else, ...down, OP.end];
  return [...ONE_LOCAL, ...whenShort(COPY), ...requireInside(D), ...requireInside(V), ...both, OP.end];
}
