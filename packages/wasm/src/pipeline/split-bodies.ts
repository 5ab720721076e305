/**
 * Between asyncify and its optimisation: functions that can be suspended get a second copy of their code, without what puts a frame
 * back, and run it whenever they are called in the ordinary way.
 *
 *   if state = 0 then { the code with every reading of the state replaced by 0 } else { the code as asyncify made it }
 *
 * SB1. In the first copy the state is 0 wherever it is read, except right after a call that may have begun to suspend: there asyncify
 *      compares it with 1, and that reading stays. So both copies compute the same, and save the same frames.
 * SB2. A frame is put back in the second copy, which goes on until the function returns; what it calls afterwards runs the first.
 * SB3. Both copies carry all marks of metering but that of a checked entry, which stands before both. Where a guest is stopped does
 *      not change what it is charged.
 * SB4. Large functions keep one copy: compilers do worse on twice the code of an interpreter's loop.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withSections } from "../binary/sections.ts";
import { ByteWriter, concat, u32 } from "../binary/writer.ts";
import { MalformedModuleError } from "../errors.ts";
import { ASYNCIFY_EXPORTS, FUEL_MODULE } from "../layout.ts";
import { importedFunctions } from "../metering/call-graph.ts";
import { MARK } from "../metering/mark.ts";

/** Longest code that is doubled, in bytes as asyncify makes it. */
const MOST_DOUBLED_BYTES = 32_768;
const I32_EQZ = 0x45;
const I32_EQ = 0x46;
const VOID = 0x40;
/** How asyncify asks, after a call, whether its callee is being suspended. */
const IS_UNWINDING = [OP.i32Const, 1, I32_EQ];
const ZERO = [OP.i32Const, 0];

/** What the code of the module is searched for: the state of asyncify, and the mark of a check. */
interface Wanted {
  readonly state: number;
  readonly check: number | undefined;
}

/**
 * The asyncified module with the mark of a checked entry at the start of its function and a quick copy in each function that is
 * short enough. @throws MalformedModuleError
 */
export function splitBodies(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  const imported = importedFunctions(outline);
  const own = new Set(ASYNCIFY_EXPORTS.map((name) => exportedFunction(outline, name)));
  const wanted = { state: stateGlobal(bytes, outline, imported), check: checkMark(outline) };
  const out = new ByteWriter(bytes.length * 2);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const type = outline.functions[imported + at] as FunctionType;
    const head = bodyHead(bytes, body, type);
    const found = own.has(imported + at) ? NOTHING : search(bytes, head.code, body.end, wanted);
    const room = body.end - head.code <= MOST_DOUBLED_BYTES && type.results.length <= 1;
    const code = found.reads.length > 0 && room ? doubled : single;
    writeBody(out, bytes, head, [], code(bytes, head.code, body.end, found, type.results[0] ?? VOID, wanted));
  }
  return withSections(bytes, outline, new Map([[SECTION.code, out.done()]]));
}

function exportedFunction({ exports }: ModuleOutline, wanted: string): number {
  const found = exports.find(({ name, kind }) => name === wanted && kind === KIND.function);
  if (found === undefined) throw new MalformedModuleError(`asyncify gave it no ${wanted}`);
  return found.index;
}

/** The global that `asyncify_get_state` reads. */
function stateGlobal(bytes: Uint8Array, outline: ModuleOutline, imported: number): number {
  const index = exportedFunction(outline, "asyncify_get_state");
  const body = outline.bodies[index - imported];
  const type = outline.functions[index];
  if (body === undefined || type === undefined) throw new MalformedModuleError("its state is not its own");
  const code = new Instructions(bytes, bodyHead(bytes, body, type).code, body.end);
  if (!code.next() || code.opcode !== OP.globalGet)
    throw new MalformedModuleError("asyncify_get_state reads no global");
  return code.immediate;
}

function checkMark({ imports }: ModuleOutline): number | undefined {
  const functions = imports.filter(({ kind }) => kind === KIND.function);
  const at = functions.findIndex(({ module, name }) => module === FUEL_MODULE && name === MARK.check);
  return at === -1 ? undefined : at;
}

/** Places in one body. */
interface Found {
  /** The mark of its checked entry: the first one outside of loops, as nothing has been inlined yet. */
  readonly entry: { readonly start: number; readonly end: number } | undefined;
  /** Readings of the state that find 0 in the quick copy (SB1). */
  readonly reads: readonly { readonly start: number; readonly end: number }[];
}

const NOTHING: Found = { entry: undefined, reads: [] };

function search(bytes: Uint8Array, start: number, end: number, { state, check }: Wanted): Found {
  const code = new Instructions(bytes, start, end);
  const reads: { start: number; end: number }[] = [];
  const loops: boolean[] = [];
  let entry: Found["entry"];
  let constant = { start: 0, end: -1 };
  while (code.next()) {
    const { opcode, immediate } = code;
    if (opcode === OP.block || opcode === OP.loop || opcode === OP.if)
      loops.push(opcode === OP.loop || loops.at(-1) === true);
    else if (opcode === OP.end) loops.pop();
    else if (opcode === OP.globalGet && immediate === state && !followedBy(bytes, code.end, IS_UNWINDING))
      reads.push({ start: code.start, end: code.end });
    else if (
      opcode === OP.call &&
      immediate === check &&
      loops.at(-1) !== true &&
      constant.end === code.start
    )
      entry ??= { start: constant.start, end: code.end };
    if (opcode === OP.i32Const) constant = { start: code.start, end: code.end };
  }
  return { entry, reads };
}

function followedBy(bytes: Uint8Array, at: number, wanted: readonly number[]): boolean {
  return wanted.every((byte, index) => bytes[at + index] === byte);
}

const same = (index: number): number => index;

/** The code with the mark of its entry at its start. */
function single(bytes: Uint8Array, start: number, end: number, { entry }: Found): Uint8Array {
  if (entry === undefined) return bytes.subarray(start, end);
  const without = rewriteCode(bytes, start, end, [{ ...entry, bytes: [] }], same);
  return concat([bytes.subarray(entry.start, entry.end), without]);
}

/** The mark of the entry, then one copy or the other. Labels stay as they are: the `if` takes the place of the function's block. */
function doubled(
  bytes: Uint8Array,
  start: number,
  end: number,
  { entry, reads }: Found,
  result: number,
  { state }: Wanted,
): Uint8Array {
  const cut: Edit[] = entry === undefined ? [] : [{ ...entry, bytes: [] }];
  const zeros = reads.map((read) => ({ ...read, bytes: ZERO }));
  const quick = rewriteCode(
    bytes,
    start,
    end,
    [...cut, ...zeros].sort((a, b) => a.start - b.start),
    same,
  );
  const whole = rewriteCode(bytes, start, end, cut, same);
  const mark = entry === undefined ? [] : bytes.subarray(entry.start, entry.end);
  const enter = [OP.globalGet, ...u32(state), I32_EQZ, OP.if, result];
  const parts = [mark, enter, quick.subarray(0, -1), [OP.else], whole, [OP.end]];
  return concat(parts.map((part) => Uint8Array.from(part)));
}
