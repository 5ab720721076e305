/**
 * First half of metering, before asyncify: marks where fuel is charged and checked with calls of imported functions, which no
 * optimiser removes, merges or moves across other effects. enforce.ts turns the marks into code.
 *
 * MK1. The cost of a mark is fixed here, from the module as it was before asyncify, so that the fuel a program uses does not
 *      depend on where it is stopped. Between profiles it differs by what the optimiser does to bulk operations of known length.
 * MK2. With `preemptive`, every check is followed by a call of the import `glia.fuel yield` when less than the grace is left.
 */
import { bodyHead, writeBody } from "../binary/body.ts";
import { functionReferences, redirected } from "../binary/function-references.ts";
import { Instructions, OP } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline, readOutline } from "../binary/outline.ts";
import { rewriteCode } from "../binary/rewrite-code.ts";
import { SECTION, withEntries, withSections } from "../binary/sections.ts";
import { ByteWriter, name, signed, u32 } from "../binary/writer.ts";
import { FUEL_EXPORT, FUEL_GRACE, FUEL_MODULE, FUEL_YIELD } from "../layout.ts";
import { type Anchor, anchorsOf } from "./anchors.ts";
import { type CallGraph, type CallPlan, callGraph, callPlan } from "./call-graph.ts";

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
      [
        SECTION.types,
        withEntries(bytes, outline, SECTION.types, [
          [FUNCTION, 0, 0],
          [FUNCTION, 1, I32, 0],
        ]),
      ],
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
  const plain = types.length;
  return [
    ...(preemptive ? [entry(FUEL_YIELD, plain)] : []),
    entry(MARK.charge, plain + 1),
    entry(MARK.check, plain + 1),
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
    const anchors =
      plan.free[index] === true
        ? []
        : anchorsOf(new Instructions(bytes, head.code, body.end), (opcode, immediate) =>
            calleeCost(graph, plan, opcode, immediate),
          );
    const edits = anchors
      .map((anchor) => ({
        start: anchor.at,
        end: anchor.at,
        bytes: mark(anchor, plan.checked[index] === true, marks),
      }))
      .filter(({ bytes: inserted }) => inserted.length > 0);
    writeBody(out, bytes, head, [], rewriteCode(bytes, head.code, body.end, edits, moved));
  }
  return out.done();
}

function calleeCost(graph: CallGraph, plan: CallPlan, opcode: number, immediate: number): number {
  if (opcode === OP.call)
    return immediate < graph.imported ? HOST_CALL_COST : (plan.price[immediate] as number);
  if (opcode !== OP.callIndirect) return 0;
  const node = graph.typeNode(immediate);
  return node === undefined ? 0 : (plan.price[node] as number);
}

function mark({ kind, cost }: Anchor, checkedEntry: boolean, marks: Marks): number[] {
  const check = kind === "loop" || (kind === "entry" && checkedEntry);
  if (!check) return cost === 0 ? [] : call(marks.charge, cost);
  const counted = call(marks.check, Math.max(1, cost));
  if (marks.yield === undefined) return counted;
  return [
    ...counted,
    OP.globalGet,
    ...u32(marks.fuel),
    OP.i64Const,
    ...signed(FUEL_GRACE),
    OP.i64LtS,
    OP.if,
    VOID,
    OP.call,
    ...u32(marks.yield),
    OP.end,
  ];
}

function call(target: number, cost: number): number[] {
  return [OP.i32Const, ...signed(cost), OP.call, ...u32(target)];
}
