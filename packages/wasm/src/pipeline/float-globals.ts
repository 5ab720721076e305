/**
 * Before everything else: mutable float globals become integer globals that hold the same bits.
 *
 * FL1. JavaScript reads every NaN of a float global as one value; of an integer it reads all bits. So what a guest keeps in a
 *      global comes out of a move bit for bit.
 * FL2. Reads and writes are reinterpreted in place and cost nothing once compiled. A global that does not start with a constant
 *      of its own stays a float.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline, skipConstant } from "../binary/outline.ts";
import { ByteReader } from "../binary/reader.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withSections } from "../binary/sections.ts";
import { ByteWriter, u32 } from "../binary/writer.ts";
import { importedFunctions } from "../metering/call-graph.ts";

interface Float {
  readonly integer: number;
  readonly constant: number;
  readonly bytes: number;
  readonly integerConstant: number;
  /** Reinterpretation of an integer as this float, and of this float as an integer. */
  readonly fromInteger: number;
  readonly toInteger: number;
}

const FLOATS: Readonly<Record<number, Float>> = {
  125: { integer: 0x7f, constant: 0x43, bytes: 4, integerConstant: 0x41, fromInteger: 0xbe, toInteger: 0xbc },
  124: { integer: 0x7e, constant: 0x44, bytes: 8, integerConstant: 0x42, fromInteger: 0xbf, toInteger: 0xbd },
};

/** The module without mutable float globals. @throws MalformedModuleError, UnsupportedFeatureError */
export function integerGlobals(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  const changed = new Map<number, Float>();
  const globals = globalSection(bytes, outline, changed);
  if (changed.size === 0) return bytes;
  const imported = importedFunctions(outline);
  const out = new ByteWriter(bytes.length);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const head = bodyHead(bytes, body, outline.functions[imported + at] as FunctionType);
    const edits = accesses(new Instructions(bytes, head.code, body.end), changed);
    writeBody(
      out,
      bytes,
      head,
      [],
      rewriteCode(bytes, head.code, body.end, edits, (index) => index),
    );
  }
  return withSections(
    bytes,
    outline,
    new Map([
      [SECTION.globals, globals],
      [SECTION.code, out.done()],
    ]),
  );
}

/** The section of globals as it becomes; `changed` gets the globals that are integers now. */
function globalSection(
  bytes: Uint8Array,
  { sections, imports }: ModuleOutline,
  changed: Map<number, Float>,
): Uint8Array {
  const out = new ByteWriter();
  const range = sections.find(({ id }) => id === SECTION.globals);
  // Imported globals are refused later; until then nothing here may count them wrongly.
  if (range === undefined || imports.some(({ kind }) => kind === KIND.global)) return out.done();
  const reader = new ByteReader(bytes, range.body, range.end);
  const count = reader.count();
  out.push(u32(count));
  for (let index = 0; index < count; index++) {
    const start = reader.at;
    const float = FLOATS[reader.u8()];
    const mutable = reader.u8() === 1;
    const init = reader.at;
    skipConstant(reader);
    const own = float !== undefined && bytes[init] === float.constant && reader.at === init + float.bytes + 2;
    if (!own || !mutable) out.push(bytes.subarray(start, reader.at));
    else {
      changed.set(index, float);
      const bits = bytes.subarray(init + 1, init + 1 + float.bytes);
      out.push([float.integer, 1, float.integerConstant, ...signedBits(bits), OP.end]);
    }
  }
  return out.done();
}

/** Little-endian bits as a signed LEB128 integer of their full width. */
function signedBits(bits: Uint8Array): number[] {
  const last = bits.at(-1) as number;
  let value = bits.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), last >= 0x80 ? -1n : 0n);
  const out: number[] = [];
  for (;;) {
    const byte = Number(value & 0x7fn);
    value >>= 7n;
    if ((value === 0n && byte < 0x40) || (value === -1n && byte >= 0x40)) return [...out, byte];
    out.push(byte | 0x80);
  }
}

function accesses(code: Instructions, changed: ReadonlyMap<number, Float>): Edit[] {
  const edits: Edit[] = [];
  while (code.next()) {
    const { opcode, start, end, immediate } = code;
    const float = opcode === OP.globalGet || opcode === OP.globalSet ? changed.get(immediate) : undefined;
    if (float === undefined) continue;
    if (opcode === OP.globalGet) edits.push({ start: end, end, bytes: [float.fromInteger] });
    else edits.push({ start, end: start, bytes: [float.toInteger] });
  }
  return edits;
}
