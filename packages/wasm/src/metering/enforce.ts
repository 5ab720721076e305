/**
 * Second half of metering, after asyncify: turns marks into the sequences of forms.ts and puts a check at every loop header and
 * at the entries that need one, marked or not, where it runs whatever state the module is in.
 *
 * EN1. The check of a loop header has the cost of the loop's mark, wherever asyncify left that; the mark is then gone. While a
 *      guest runs normally the header runs as often as the mark would have.
 * EN2. Whatever the host's allowance pays for while calls are saved or put back is bounded by the same checks.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { functionReferences, redirected } from "../binary/function-references.ts";
import { BULK, Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withSections } from "../binary/sections.ts";
import { ByteWriter, concat, u32 } from "../binary/writer.ts";
import { NotInstrumentedError } from "../errors.ts";
import { FUEL_EXPORT, FUEL_MODULE } from "../layout.ts";
import { callGraph, callPlan } from "./call-graph.ts";
import { bulkForm, chargeForm, checkForm, dynamicChargeForm } from "./forms.ts";
import { MARK } from "./mark.ts";

/**
 * Most instructions, and bytes moved in bulk, of an instrumented module between two checks. Admission allows ten times as many:
 * more than the counting code adds.
 */
const MOST_UNCHECKED_WRITTEN = 20_000;
/** The bound that admission proves (docs/spec/fuel.md, "Bounds"). */
export const MOST_UNCHECKED_ADMITTED = 200_000;
const I32 = 0x7f;
const I64 = 0x7e;

/** Index of the counter. @throws NotInstrumentedError */
export function fuelGlobal({ exports }: ModuleOutline): number {
  const found = exports.find(({ name, kind }) => name === FUEL_EXPORT && kind === KIND.global);
  if (found === undefined) throw new NotInstrumentedError(`the module does not export ${FUEL_EXPORT}`);
  return found.index;
}

interface Marks {
  readonly fuel: number;
  readonly charge: number | undefined;
  readonly check: number | undefined;
}

/** The module with counting code in place of its marks. @throws NotInstrumentedError, MalformedModuleError */
export function enforceFuel(bytes: Uint8Array): Uint8Array {
  const outline = readOutline(bytes);
  const references = functionReferences(bytes, outline);
  const graph = callGraph(bytes, outline, references);
  const { checked } = callPlan(graph, MOST_UNCHECKED_WRITTEN);
  const marks = marksOf(outline);
  const gone = [marks.charge, marks.check].filter((index) => index !== undefined);
  const moved = (index: number): number => index - gone.filter((one) => one < index).length;
  const out = new ByteWriter(bytes.length * 2);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const index = graph.imported + at;
    const head = bodyHead(bytes, body, outline.functions[index] as FunctionType);
    const plan = new BodyPlan(bytes, head.code, body.end, marks);
    const edits = plan.edits(checked[index] === true, head.locals);
    writeBody(out, bytes, head, [I64, I32], rewriteCode(bytes, head.code, body.end, edits, moved));
  }
  const replaced = redirected(bytes, outline.sections, references, (index) => u32(moved(index)));
  return withSections(
    bytes,
    outline,
    new Map([...replaced, [SECTION.imports, unmarkedImports(bytes, outline)], [SECTION.code, out.done()]]),
  );
}

function marksOf(outline: ModuleOutline): Marks {
  const functions = outline.imports.filter(({ kind }) => kind === KIND.function);
  const indexOf = (wanted: string): number | undefined => {
    const at = functions.findIndex(({ module, name }) => module === FUEL_MODULE && name === wanted);
    return at === -1 ? undefined : at;
  };
  return { fuel: fuelGlobal(outline), charge: indexOf(MARK.charge), check: indexOf(MARK.check) };
}

function unmarkedImports(bytes: Uint8Array, { imports }: ModuleOutline): Uint8Array {
  const kept = imports.filter(
    ({ module, name, kind }) =>
      kind !== KIND.function || module !== FUEL_MODULE || (name !== MARK.charge && name !== MARK.check),
  );
  return concat([
    Uint8Array.from(u32(kept.length)),
    ...kept.map(({ start, end }) => bytes.subarray(start, end)),
  ]);
}

interface Mark {
  /** Bytes of the mark; without its constant when that is not next to it. */
  readonly start: number;
  readonly end: number;
  readonly cost: number | undefined;
  /** The header it is moved to, as the byte after the `loop`; 0 for the function's entry; undefined when it stays. */
  readonly moved: number | undefined;
}

/** What is done to one body. */
class BodyPlan {
  readonly #marks: Mark[] = [];
  /** Loop headers (the byte after the `loop`), with the cost of their mark. */
  readonly #headers = new Map<number, number>();
  readonly #bulk: number[] = [];
  readonly #start: number;
  readonly #fuel: number;
  #entry = 0;

  constructor(bytes: Uint8Array, start: number, end: number, marks: Marks) {
    this.#start = start;
    this.#fuel = marks.fuel;
    const code = new Instructions(bytes, start, end);
    const loops: number[] = [];
    let constant: { readonly start: number; readonly end: number; readonly value: number } | undefined;
    while (code.next()) {
      const { opcode } = code;
      if (opcode === OP.loop) this.#headers.set(code.end, 0);
      if (opcode === OP.loop) loops.push(code.end);
      else if (opcode === OP.block || opcode === OP.if) loops.push(loops.at(-1) ?? 0);
      else if (opcode === OP.end) loops.pop();
      else if (
        opcode === OP.bulk &&
        (code.operation === BULK.memoryCopy || code.operation === BULK.memoryFill)
      )
        this.#bulk.push(code.start);
      else if (opcode === OP.call && (code.immediate === marks.charge || code.immediate === marks.check)) {
        const known = constant?.end === code.start ? constant : undefined;
        const check = code.immediate === marks.check;
        const moved = check && known !== undefined ? this.#moved(loops.at(-1) ?? 0, known.value) : undefined;
        this.#marks.push({ start: known?.start ?? code.start, end: code.end, cost: known?.value, moved });
      }
      constant =
        opcode === OP.i32Const ? { start: code.start, end: code.end, value: code.immediate } : undefined;
    }
  }

  /** Take the first check of a loop, or of the function outside of loops, to its header. */
  #moved(header: number, cost: number): number | undefined {
    const taken = header === 0 ? this.#entry : (this.#headers.get(header) ?? 0);
    if (taken !== 0) return undefined;
    if (header === 0) this.#entry = cost;
    else this.#headers.set(header, cost);
    return header;
  }

  /** The edits, in order. `local` is the i64 local added; the i32 one follows. */
  edits(checkedEntry: boolean, local: number): Edit[] {
    const fuel = this.#fuel;
    const edits: Edit[] = [];
    const insert = (at: number, bytes: readonly number[]): void =>
      void edits.push({ start: at, end: at, bytes });
    if (checkedEntry) insert(this.#start, checkForm(fuel, Math.max(1, this.#entry), local));
    else if (this.#entry > 0) insert(this.#start, chargeForm(fuel, this.#entry));
    for (const [at, cost] of this.#headers) insert(at, checkForm(fuel, Math.max(1, cost), local));
    for (const at of this.#bulk) insert(at, bulkForm(fuel, local + 1));
    for (const { start, end, cost, moved } of this.#marks) {
      const stays = cost === undefined ? dynamicChargeForm(fuel, local + 1) : chargeForm(fuel, cost);
      edits.push({ start, end, bytes: moved === undefined ? stays : [] });
    }
    // An insertion comes before a replacement that starts at the same byte: a header's check stands first in its loop.
    return edits.sort((a, b) => a.start - b.start || a.end - b.end);
  }
}
