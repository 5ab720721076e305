/**
 * Which functions of a module can call themselves again, and how much runs between two checks of fuel.
 *
 * CG1. An edge for every direct call; a `call_indirect` reaches every function of its type whose reference exists anywhere in the
 *      module. Tables can hold no other (engine/tables.ts), so no call is missed. Hosts do not call back into a guest that runs.
 * CG2. A function is checked at its entry when it is on a cycle of calls, or when without a check more than `most` instructions
 *      or bytes moved in bulk could run from its entry on, each loop body counted once because loops have checks of their own.
 * CG3. O(functions + calls), no recursion: strongly connected components by Tarjan, "Depth-first search and linear graph
 *      algorithms" (1972).
 */

import { bodyHead } from "../binary/body.ts";
import type { FunctionReference } from "../binary/function-references.ts";
import { tabledFunctions } from "../binary/function-references.ts";
import { BULK, Instructions, MEMORY_BULK, OP, TABLE_BULK } from "../binary/instruction.ts";
import { type FunctionType, KIND, type ModuleOutline } from "../binary/outline.ts";
import { MOST_BULK_BYTES, MOST_ENTRIES_COST } from "./forms.ts";

/** What one function contains. */
export interface FunctionFacts {
  /** Instructions that count (see {@link costOf}). */
  readonly cost: number;
  readonly loops: number;
  /** Most bytes it moves in bulk in one pass over its code, 0 when it moves none; growing memory counts as one. */
  readonly bulk: number;
  /** Nodes of the graph it calls, with repetition: functions, or types of indirect calls after them. */
  readonly calls: readonly number[];
}

/** The graph: one node per function (imports first), then one per type that is called indirectly. */
export interface CallGraph {
  readonly imported: number;
  readonly functions: readonly FunctionFacts[];
  /** Functions that an indirect call of each type node may reach. */
  readonly reached: readonly (readonly number[])[];
  /** The node of an index into the module's types; undefined when no code calls such a function indirectly. */
  typeNode(type: number): number | undefined;
}

/** Fuel an instruction costs. Structure costs nothing: it is no work once compiled. */
export function costOf(opcode: number): number {
  return opcode === OP.block ||
    opcode === OP.loop ||
    opcode === OP.end ||
    opcode === OP.else ||
    opcode === OP.nop
    ? 0
    : 1;
}

const NONE: FunctionFacts = { cost: 0, loops: 0, bulk: 0, calls: [] };

/** Functions imported, which come first in the index space. */
export function importedFunctions({ imports }: ModuleOutline): number {
  return imports.filter(({ kind }) => kind === KIND.function).length;
}

/** Read the graph from code. @throws MalformedModuleError, UnsupportedFeatureError */
export function callGraph(
  bytes: Uint8Array,
  outline: ModuleOutline,
  references: readonly FunctionReference[],
): CallGraph {
  const imported = importedFunctions(outline);
  const types = new Map<string, number>();
  const functions: FunctionFacts[] = Array.from({ length: imported }, () => NONE);
  const referred = new Set<number>();
  const typeNode = (type: FunctionType | undefined): number => {
    const key = keyOf(type);
    const known = types.get(key);
    if (known !== undefined) return known;
    const node = outline.functions.length + types.size;
    types.set(key, node);
    return node;
  };
  for (const [index, body] of outline.bodies.entries()) {
    const type = outline.functions[imported + index] as FunctionType;
    const { code } = bodyHead(bytes, body, type);
    const read = new Instructions(bytes, code, body.end);
    functions.push(factsOf(read, (at) => typeNode(outline.types[at]), referred));
  }
  const reached = [...types.keys()].map((): number[] => []);
  for (const index of tabledFunctions(references, referred)) {
    const node = types.get(keyOf(outline.functions[index]));
    if (node !== undefined) reached[node - outline.functions.length]?.push(index);
  }
  const nodeOf = (at: number): number | undefined => types.get(keyOf(outline.types[at]));
  return { imported, functions, reached, typeNode: nodeOf };
}

function keyOf(type: FunctionType | undefined): string {
  return `${type?.params.join()}>${type?.results.join()}`;
}

function factsOf(
  code: Instructions,
  typeNode: (type: number) => number,
  referred: Set<number>,
): FunctionFacts {
  let cost = 0;
  let loops = 0;
  let bulk = 0;
  const calls: number[] = [];
  while (code.next()) {
    cost += costOf(code.opcode);
    if (code.opcode === OP.loop) loops += 1;
    else if (code.opcode === OP.call) calls.push(code.immediate);
    else if (code.opcode === OP.callIndirect) calls.push(typeNode(code.immediate));
    else if (code.opcode === OP.refFunc) referred.add(code.immediate);
    else if (code.opcode === OP.memoryGrow) bulk += 1;
    else if (code.opcode === OP.bulk && MEMORY_BULK.has(code.operation)) bulk += MOST_BULK_BYTES;
    else if (code.opcode === OP.bulk && TABLE_BULK.has(code.operation)) bulk += MOST_ENTRIES_COST;
    else if (code.opcode === OP.bulk && code.operation === BULK.tableGrow) bulk += 1;
  }
  return { cost, loops, bulk, calls };
}

/** The nodes `node` leads to. */
function successors({ functions, reached }: CallGraph, node: number): readonly number[] {
  return functions[node]?.calls ?? reached[node - functions.length] ?? [];
}

/** Strongly connected components in an order in which every component comes after those it calls. */
export function components(graph: CallGraph): number[][] {
  const count = graph.functions.length + graph.reached.length;
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const open = new Uint8Array(count);
  const stack: number[] = [];
  const found: number[][] = [];
  let next = 0;
  const enter = (node: number): { node: number; at: number } => {
    index[node] = next;
    low[node] = next++;
    open[node] = 1;
    stack.push(node);
    return { node, at: 0 };
  };
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = successors(graph, top.node)[top.at++];
      if (to === undefined) {
        path.pop();
        const parent = path.at(-1)?.node;
        if (parent !== undefined) low[parent] = Math.min(low[parent] as number, low[top.node] as number);
        if (low[top.node] === index[top.node]) found.push(popped(stack, open, top.node));
      } else if (index[to] === -1) path.push(enter(to));
      else if (open[to] === 1) low[top.node] = Math.min(low[top.node] as number, index[to] as number);
    }
  }
  return found;
}

function popped(stack: number[], open: Uint8Array, last: number): number[] {
  const component: number[] = [];
  for (;;) {
    const node = stack.pop() as number;
    open[node] = 0;
    component.push(node);
    if (node === last) return component;
  }
}

/** Per function: whether its entry is checked (CG2), and what it costs its callers when it counts nothing itself. */
export interface CallPlan {
  readonly checked: readonly boolean[];
  /** Fuel that a call charges at the caller for a function that is `free`; 0 for others. */
  readonly price: readonly number[];
  /** Functions that count nothing themselves: short, without loops, bulk operations and recursion. */
  readonly free: readonly boolean[];
  /** Functions that are free and call only such: nothing can be suspended in them. */
  readonly quiet: readonly boolean[];
}

/** More than the instructions of a check: what a loop adds to a function when it is instrumented. */
const LOOP_CHECK = 16;
/** Longest function that counts nothing itself. */
const MOST_FREE = 32;

/**
 * Decide where entries are checked. `most` bounds the instructions that run between two checks (CG2). `present` says which
 * entries are checked already; what they do then is not counted for their callers.
 */
export function callPlan(
  graph: CallGraph,
  most: number,
  present: (index: number) => boolean = () => false,
): CallPlan {
  const count = graph.functions.length + graph.reached.length;
  const checked: boolean[] = Array.from({ length: count }, () => false);
  const free: boolean[] = Array.from({ length: count }, () => false);
  const quiet: boolean[] = Array.from({ length: count }, () => false);
  const price = new Array<number>(count).fill(0);
  const unchecked = new Float64Array(count);
  for (const component of components(graph)) {
    const [node = 0] = component;
    const targets = successors(graph, node);
    if (component.length > 1 || targets.includes(node)) {
      for (const one of component) checked[one] = one >= graph.imported && one < graph.functions.length;
      continue;
    }
    const facts = graph.functions[node];
    if (facts === undefined) {
      // A type node stands for any of its targets: the dearest counts.
      price[node] = targets.reduce((most, to) => Math.max(most, price[to] as number), 0);
      unchecked[node] = targets.reduce((most, to) => Math.max(most, unchecked[to] as number), 0);
      continue;
    }
    const own = targets.reduce((sum, to) => sum + (price[to] as number), facts.cost);
    const run = targets.reduce(
      (sum, to) => sum + (unchecked[to] as number),
      facts.cost + facts.bulk + facts.loops * LOOP_CHECK,
    );
    checked[node] = run > most;
    unchecked[node] = run > most || present(node) ? 0 : run;
    const short = facts.loops === 0 && facts.bulk === 0 && own <= MOST_FREE;
    free[node] = node >= graph.imported && short && run <= most;
    quiet[node] = free[node] && targets.every((to) => quiet[to] === true);
    price[node] = free[node] ? own : 0;
  }
  return { checked, free, price, quiet };
}

/** Functions after whose call the counter is what it was: `writes` says which functions write it; imports may do anything. */
export function neutralFunctions(graph: CallGraph, writes: (index: number) => boolean): readonly boolean[] {
  const neutral: boolean[] = Array.from({ length: graph.functions.length }, () => false);
  for (const component of components(graph)) {
    const [node = 0] = component;
    if (component.length > 1 || node < graph.imported || node >= graph.functions.length) continue;
    neutral[node] = !writes(node) && successors(graph, node).every((to) => neutral[to] === true);
  }
  return neutral;
}
