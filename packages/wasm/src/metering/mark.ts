/**
 * First half of metering, before asyncify: marks where fuel is charged and checked with calls of imported functions, which no
 * optimiser removes, merges or moves across other effects. enforce.ts turns the marks into code.
 *
 * MK1. The cost of a mark is fixed here, from the module as it was before asyncify, so that the fuel a program uses does not
 *      depend on where it is stopped. Between profiles it differs by what the optimiser does to bulk operations of known length.
 * MK2. With `preemptive`, every check is followed by a call of the import `glia.fuel yield` when less than the grace is left, or
 *      by leaving the loop for a place where that is called (leaf-loops.ts).
 * MK3. So is every bulk operation on a table: two of the longest would use up the grace.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { functionReferences, redirected } from "../binary/function-references.ts";
import { Instructions, OP, TABLE_BULK } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import type { ByteReader } from "../binary/reader.ts";
import { type Edit, rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { ByteWriter, name, signed, u32 } from "../binary/writer.ts";
import { FUEL_EXPORT, FUEL_GRACE, FUEL_MODULE, FUEL_YIELD } from "../layout.ts";
import { type Anchor, anchorsOf } from "./anchors.ts";
import { type CallGraph, type CallPlan, callGraph, callPlan } from "./call-graph.ts";
import { type LeafLoop, leafLoops } from "./leaf-loops.ts";

/** Names of the imports that are marks; they are gone after enforce.ts. */
export const MARK = { charge: "charge", check: "check" } as const;
/** Most instructions between two checks, by the module as its author wrote it; far below the grace. */
const MOST_UNCHECKED = 10_000;
/** Fuel of a call of the host, besides the instruction: about what crossing to JavaScript and back takes. */
const HOST_CALL_COST = 500;
const I32 = 0x7f;
const I64 = 0x7e;
const FUNCTION = 0x60;
const VOID = 0x40;
const I32_EQZ = 0x45;

interface Marks {
  readonly fuel: number;
  readonly yield: number | undefined;
  readonly charge: number;
  readonly check: number;
}

/** The module with marks, the counter and the imports they need. @throws MalformedModuleError, UnsupportedFeatureError */
export function markFuel(bytes: Uint8Array, preemptive: boolean): Uint8Array {
  const outline = readOutline(bytes);
  const references = functionReferences(bytes, outline);
  const graph = callGraph(bytes, outline, references);
  const plan = callPlan(graph, MOST_UNCHECKED);
  const { imported } = graph;
  const first = imported + (preemptive ? 1 : 0);
  const marks: Marks = {
    fuel: outline.globals.length,
    yield: preemptive ? imported : undefined,
    charge: first,
    check: first + 1,
  };
  const added = preemptive ? 3 : 2;
  const moved = (index: number): number => (index < imported ? index : index + added);
  const replaced = redirected(bytes, outline.sections, references, (index) => u32(moved(index)));
  const exported = [...name(FUEL_EXPORT), KIND.global, ...u32(marks.fuel)];
  // Custom sections name functions by indices that are no longer theirs.
  const sections = outline.sections.filter(({ id }) => id !== SECTION.custom);
  return withSections(
    bytes,
    { ...outline, sections },
    new Map([
      ...replaced,
      [SECTION.types, withEntries(bytes, outline, SECTION.types, [[FUNCTION, 1, I32, 0]])],
      [SECTION.imports, withEntries(bytes, outline, SECTION.imports, markImports(outline, preemptive))],
      [
        SECTION.globals,
        withEntries(
          bytes,
          outline,
          SECTION.globals,
          [[I64, 1, OP.i64Const, 0, OP.end]],
          replaced.get(SECTION.globals),
        ),
      ],
      [
        SECTION.exports,
        withEntries(bytes, outline, SECTION.exports, [exported], replaced.get(SECTION.exports)),
      ],
      [SECTION.code, markedCode(bytes, outline, graph, plan, marks, moved)],
    ]),
  );
}

function markImports({ types }: ModuleOutline, preemptive: boolean): number[][] {
  const entry = (title: string, type: number): number[] => [
    ...name(FUEL_MODULE),
    ...name(title),
    KIND.function,
    ...u32(type),
  ];
  const counting = types.length;
  return [
    ...(preemptive ? [entry(FUEL_YIELD, counting)] : []),
    entry(MARK.charge, counting),
    entry(MARK.check, counting),
  ];
}

function markedCode(
  bytes: Uint8Array,
  outline: ModuleOutline,
  graph: CallGraph,
  plan: CallPlan,
  marks: Marks,
  moved: (index: number) => number,
): Uint8Array {
  const out = new ByteWriter(bytes.length * 2);
  out.push(u32(outline.bodies.length));
  for (const [at, body] of outline.bodies.entries()) {
    const index = graph.imported + at;
    const head = bodyHead(bytes, body, outline.functions[index] as FunctionType);
    const code = (): Instructions => new Instructions(bytes, head.code, body.end);
    const anchors =
      plan.free[index] === true
        ? []
        : anchorsOf(code(), (opcode, immediate) => calleeCost(graph, plan, opcode, immediate));
    const leaves =
      marks.yield === undefined
        ? NO_LEAVES
        : leafLoops(bytes, code(), (one) => suspends(plan, one), takesParameters(outline));
    const marked = new BodyMarks(bytes, marks, leaves, head.locals);
    const edits = marked.edits(anchors, plan.checked[index] === true, afterTables(code()));
    const added = leaves.size === 0 ? [] : [I32];
    writeBody(out, bytes, head, added, rewriteCode(bytes, head.code, body.end, edits, moved));
  }
  return out.done();
}

const NO_LEAVES: ReadonlyMap<number, LeafLoop> = new Map();

function suspends({ quiet }: CallPlan, { opcode, immediate, operation }: Instructions): boolean {
  if (opcode === OP.bulk) return TABLE_BULK.has(operation);
  return opcode === OP.callIndirect || (opcode === OP.call && quiet[immediate] !== true);
}

/** Right after each bulk operation on a table: its charge may have used up more than half of the grace (MK3). */
function afterTables(code: Instructions): number[] {
  const places: number[] = [];
  while (code.next()) if (code.opcode === OP.bulk && TABLE_BULK.has(code.operation)) places.push(code.end);
  return places;
}

/** Whether a block type is an index of a type with parameters. */
function takesParameters({ types }: ModuleOutline): (blockType: ByteReader) => boolean {
  return (blockType) => {
    const index = blockType.s32();
    return index >= 0 && (types[index]?.params.length ?? 0) > 0;
  };
}

function calleeCost(graph: CallGraph, plan: CallPlan, opcode: number, immediate: number): number {
  if (opcode === OP.call)
    return immediate < graph.imported ? HOST_CALL_COST : (plan.price[immediate] as number);
  if (opcode !== OP.callIndirect) return 0;
  const node = graph.typeNode(immediate);
  return node === undefined ? 0 : (plan.price[node] as number);
}

/** Writes the marks of one body. */
class BodyMarks {
  readonly #bytes: Uint8Array;
  readonly #marks: Marks;
  readonly #leaves: ReadonlyMap<number, LeafLoop>;
  /** The local `again` of leaf-loops.ts. */
  readonly #again: readonly number[];

  constructor(bytes: Uint8Array, marks: Marks, leaves: ReadonlyMap<number, LeafLoop>, again: number) {
    this.#bytes = bytes;
    this.#marks = marks;
    this.#leaves = leaves;
    this.#again = u32(again);
  }

  /** All edits, in order. */
  edits(anchors: readonly Anchor[], checkedEntry: boolean, afterTables: readonly number[]): Edit[] {
    const edits: Edit[] = [];
    const insert = (at: number, bytes: readonly number[]): void => {
      if (bytes.length > 0) edits.push({ start: at, end: at, bytes });
    };
    for (const { at, kind, cost } of anchors) {
      const leaf = kind === "loop" ? this.#leaves.get(at) : undefined;
      if (leaf !== undefined) {
        edits.push(...leaf.branches);
        insert(leaf.start, this.#outside(leaf, Math.max(1, cost)));
        insert(at, this.#inside(Math.max(1, cost)));
        insert(leaf.end, [OP.end]);
      } else if (kind === "loop" || (kind === "entry" && checkedEntry)) insert(at, this.#check(cost));
      else if (cost > 0) insert(at, this.#call(this.#marks.charge, cost));
    }
    for (const at of afterTables) insert(at, this.#yieldWhenDue());
    return edits.sort((a, b) => a.start - b.start || a.end - b.end);
  }

  /** Nothing in profiles that do not yield. */
  #yieldWhenDue(): number[] {
    const { yield: target } = this.#marks;
    return target === undefined ? [] : [...this.#due(), OP.if, VOID, ...this.#call(target, 0), OP.end];
  }

  #check(cost: number): number[] {
    const counted = this.#call(this.#marks.check, Math.max(1, cost));
    return [...counted, ...this.#yieldWhenDue()];
  }

  #outside({ start, header }: LeafLoop, cost: number): number[] {
    const again = [OP.localGet, ...this.#again];
    const { yield: target = 0, check } = this.#marks;
    const stop = [...again, OP.if, VOID, ...this.#call(target, cost + 1), OP.end];
    return [...this.#setAgain(0), ...this.#bytes.subarray(start, header), ...this.#call(check, 1), ...stop];
  }

  #inside(cost: number): number[] {
    const again = [OP.localGet, ...this.#again];
    const outside = 3;
    const leave = [...again, I32_EQZ, OP.if, VOID, ...this.#setAgain(1), OP.br, outside, OP.end];
    const due = [...this.#due(), OP.if, VOID, ...leave, ...this.#setAgain(0), OP.end];
    return [...this.#call(this.#marks.check, cost), ...due];
  }

  #due(): number[] {
    return [OP.globalGet, ...u32(this.#marks.fuel), OP.i64Const, ...signed(FUEL_GRACE), OP.i64LtS];
  }

  #setAgain(value: number): number[] {
    return [OP.i32Const, value, OP.localSet, ...this.#again];
  }

  #call(target: number, value: number): number[] {
    return [OP.i32Const, ...signed(value), OP.call, ...u32(target)];
  }
}
