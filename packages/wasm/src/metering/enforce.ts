/**
 * Second half of metering, after asyncify: turns marks into the sequences of forms.ts and puts a check at every loop header and
 * at the entries that need one, marked or not, where it runs whatever state the module is in.
 *
 * EN1. The check of a loop header has the cost of the loop's mark, wherever asyncify left that; the mark is then gone. While a
 *      guest runs normally the header runs as often as the mark would have.
 *      The mark of an entry becomes its check when it is the first thing the function does; one that came with a function that was
 *      put in place of its call stays where it is.
 * EN2. Whatever the host's allowance pays for while calls are saved or put back is bounded by the same checks.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { functionReferences, redirected } from "../binary/function-references.ts";
import { Instructions, MEMORY_BULK, OP, TABLE_BULK } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withSections } from "../binary/sections.ts";
import { ByteWriter, concat, u32 } from "../binary/writer.ts";
import { NotInstrumentedError } from "../errors.ts";
import { FUEL_EXPORT, FUEL_MODULE } from "../layout.ts";
import { type CallGraph, callGraph, callPlan, neutralFunctions } from "./call-graph.ts";
import {
  bulkForm,
  chargeForm,
  checkForm,
  dynamicChargeForm,
  entriesForm,
  loadForm,
  localChargeForm,
  localCheckForm,
} from "./forms.ts";
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
  const neutral = neutralFunctions(graph, (index) => checked[index] === true || counts(graph, index, marks));
  const gone = [marks.charge, marks.check].filter((index) => index !== undefined);
  const moved = (index: number): number => index - gone.filter((one) => one < index).length;
  const out = new ByteWriter(bytes.length * 2);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const index = graph.imported + at;
    const head = bodyHead(bytes, body, outline.functions[index] as FunctionType);
    const plan = new BodyPlan(new Instructions(bytes, head.code, body.end), marks, neutral);
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

/** Whether a function will write the counter itself. */
function counts({ functions }: CallGraph, index: number, { charge, check }: Marks): boolean {
  const facts = functions[index];
  if (facts === undefined || facts.loops > 0 || facts.bulk > 0) return true;
  return facts.calls.some((to) => to === charge || to === check);
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
  /** It became part of the check of its loop's header, or of the function's entry. */
  readonly moved: boolean;
  readonly loop: Loop | undefined;
}

interface Loop {
  /** The `loop` instruction, and the first byte after it. */
  readonly start: number;
  readonly header: number;
  /** Cost of the mark that became its check; 0 for none. */
  cost: number;
  /** Innermost, and nothing in it but its own marks writes the counter: its check keeps that in a local. */
  local: boolean;
}

/** What is done to one body. */
class BodyPlan {
  readonly #marks: Mark[] = [];
  readonly #loops: Loop[] = [];
  readonly #bulk: { readonly at: number; readonly form: typeof bulkForm }[] = [];
  /** Where code asks for the counter: whether a slice is used up. */
  readonly #reads: { readonly start: number; readonly end: number; readonly loop: Loop | undefined }[] = [];
  readonly #start: number;
  readonly #fuel: number;
  #entry = 0;

  constructor(code: Instructions, marks: Marks, neutral: readonly boolean[]) {
    this.#start = code.reader.at;
    this.#fuel = marks.fuel;
    const open: (Loop | undefined)[] = [];
    let constant: { readonly start: number; readonly end: number; readonly value: number } | undefined;
    while (code.next()) {
      const { opcode, start, end, immediate } = code;
      const inner = open.at(-1);
      if (opcode === OP.loop) open.push(this.#loop(start, end, open));
      else if (opcode === OP.block || opcode === OP.if) open.push(inner);
      else if (opcode === OP.end) open.pop();
      else if (opcode === OP.globalGet && immediate === marks.fuel)
        this.#reads.push({ start, end, loop: inner });
      else if (opcode === OP.bulk && (MEMORY_BULK.has(code.operation) || TABLE_BULK.has(code.operation))) {
        this.#bulk.push({ at: start, form: TABLE_BULK.has(code.operation) ? entriesForm : bulkForm });
        leave(inner);
      } else if (opcode === OP.call && (immediate === marks.charge || immediate === marks.check)) {
        const known = constant?.end === start ? constant : undefined;
        if (known === undefined) leave(inner);
        const always = inner !== undefined || open.length === 0;
        const moved =
          immediate === marks.check && known !== undefined && always && this.#moved(inner, known.value);
        this.#marks.push({ start: known?.start ?? start, end, cost: known?.value, moved, loop: inner });
      } else if (opcode === OP.callIndirect || (opcode === OP.call && neutral[immediate] !== true))
        leave(inner);
      constant = opcode === OP.i32Const ? { start, end, value: immediate } : undefined;
    }
  }

  #loop(start: number, header: number, open: readonly (Loop | undefined)[]): Loop {
    leave(open.at(-1));
    const loop: Loop = { start, header, cost: 0, local: true };
    this.#loops.push(loop);
    return loop;
  }

  /** Take the first check of a loop, or of the function where nothing is between it and the entry, to its header. */
  #moved(loop: Loop | undefined, cost: number): boolean {
    if ((loop?.cost ?? this.#entry) !== 0) return false;
    if (loop === undefined) this.#entry = cost;
    else loop.cost = cost;
    return true;
  }

  /** The edits, in order. `local` is the i64 local added; the i32 one follows. */
  edits(checkedEntry: boolean, local: number): Edit[] {
    const fuel = this.#fuel;
    const edits: Edit[] = [];
    const insert = (at: number, bytes: readonly number[]): void => {
      edits.push({ start: at, end: at, bytes });
    };
    if (checkedEntry) insert(this.#start, checkForm(fuel, Math.max(1, this.#entry), local));
    else if (this.#entry > 0) insert(this.#start, chargeForm(fuel, this.#entry));
    for (const loop of this.#loops) {
      if (loop.local) insert(loop.start, loadForm(fuel, local));
      insert(loop.header, (loop.local ? localCheckForm : checkForm)(fuel, Math.max(1, loop.cost), local));
    }
    for (const { at, form } of this.#bulk) insert(at, form(fuel, local + 1));
    for (const { start, end, loop } of this.#reads)
      if (loop?.local === true) edits.push({ start, end, bytes: [OP.localGet, ...u32(local)] });
    for (const mark of this.#marks) edits.push({ ...mark, bytes: this.#inPlace(mark, local) });
    // An insertion comes before a replacement that starts at the same byte: a header's check stands first in its loop.
    return edits.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  #inPlace({ cost, moved, loop }: Mark, local: number): number[] {
    if (moved) return [];
    if (cost === undefined) return dynamicChargeForm(this.#fuel, local + 1);
    return loop?.local === true ? localChargeForm(this.#fuel, cost, local) : chargeForm(this.#fuel, cost);
  }
}

function leave(loop: Loop | undefined): void {
  if (loop !== undefined) loop.local = false;
}
