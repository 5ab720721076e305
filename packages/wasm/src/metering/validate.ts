/**
 * Proves of a module what the engine relies on to bound it, from its bytes alone (docs/spec/fuel.md, "What admission proves").
 *
 * VF1. Every loop header is followed at once by a check, so no loop runs on without fuel.
 * VF2. Every function on a cycle of calls, and every one that could run long without a check, starts with one (call-graph.ts).
 * VF3. Nothing but the sequences of forms.ts writes the counter, so no code gives itself fuel.
 * VF4. What fills, copies or initialises memory or tables in bulk follows the sequence that bounds and charges it.
 * VF5. O(code size), no recursion.
 * VF6. Where a local stands for the counter both are equal: it is loaded right before an innermost loop, written together with
 *      the counter there and by nothing else, and nothing that is called writes the counter.
 */
import { bodyHead } from "../binary/body.ts";
import { functionReferences } from "../binary/function-references.ts";
import { Instructions, MEMORY_BULK, OP, TABLE_BULK } from "../binary/instruction.ts";
import type { FunctionType, ModuleOutline } from "../binary/outline.ts";
import { NotInstrumentedError, UnmeteredCodeError } from "../errors.ts";
import { callGraph, callPlan, neutralFunctions } from "./call-graph.ts";
import { fuelGlobal, MOST_UNCHECKED_ADMITTED } from "./enforce.ts";
import { type FoundForm, formAt } from "./forms.ts";

const I64 = 0x7e;

/** Check that all code of a module counts fuel. @throws UnmeteredCodeError, NotInstrumentedError */
export function checkMetering(bytes: Uint8Array, outline: ModuleOutline): void {
  const fuel = fuelGlobal(outline);
  const global = outline.globals[fuel];
  if (global?.type !== I64 || !global.mutable)
    throw new NotInstrumentedError("the fuel counter of the module is not a mutable i64");
  const graph = callGraph(bytes, outline, functionReferences(bytes, outline));
  const starts = outline.bodies.map(
    (body, at) => bodyHead(bytes, body, outline.functions[graph.imported + at] as FunctionType).code,
  );
  const present = outline.bodies.map(
    ({ end }, at) => formAt(bytes, starts[at] as number, end, fuel)?.kind === "check",
  );
  const { checked } = callPlan(
    graph,
    MOST_UNCHECKED_ADMITTED,
    (index) => present[index - graph.imported] === true,
  );
  const writers = outline.bodies.map(({ end }, at) =>
    writes(new Instructions(bytes, starts[at] as number, end), fuel),
  );
  const neutral = neutralFunctions(graph, (index) => writers[index - graph.imported] === true);
  for (const [at, { end }] of outline.bodies.entries()) {
    const index = graph.imported + at;
    const start = starts[at] as number;
    if (checked[index] === true && present[at] !== true)
      throw new UnmeteredCodeError(
        index,
        start,
        "can call itself, or runs long, and does not check fuel at its entry",
      );
    new BodyCheck(bytes, index, fuel, neutral).check(new Instructions(bytes, start, end));
  }
}

function writes(code: Instructions, fuel: number): boolean {
  while (code.next()) if (code.opcode === OP.globalSet && code.immediate === fuel) return true;
  return false;
}

/** A loop in which a local holds the counter (VF6). */
interface Region {
  readonly local: number;
  /** Nesting of its body. */
  readonly depth: number;
}

class BodyCheck {
  readonly #bytes: Uint8Array;
  readonly #index: number;
  readonly #fuel: number;
  readonly #neutral: readonly boolean[];
  /** Instructions before this byte belong to a sequence that was recognised. */
  #inside = 0;
  /** The last bound of a bulk operation, which must stand right after it. */
  #bound: FoundForm | undefined;
  /** The last load of the counter into a local. */
  #load: FoundForm | undefined;
  #region: Region | undefined;
  #depth = 0;

  constructor(bytes: Uint8Array, index: number, fuel: number, neutral: readonly boolean[]) {
    this.#bytes = bytes;
    this.#index = index;
    this.#fuel = fuel;
    this.#neutral = neutral;
  }

  check(code: Instructions): void {
    const { end } = code.reader;
    while (code.next()) {
      const { opcode, start } = code;
      if (start >= this.#inside) this.#outsideSequences(code, end);
      if (opcode === OP.block || opcode === OP.loop || opcode === OP.if) this.#depth += 1;
      if (opcode === OP.loop) this.#loop(code, end);
      if (opcode === OP.end) this.#close();
      if (opcode === OP.bulk) this.#bulk(code);
    }
  }

  #outsideSequences(code: Instructions, end: number): void {
    const { opcode, immediate, start } = code;
    const form = formAt(this.#bytes, start, end, this.#fuel);
    if (form !== undefined) this.#sequence(form, start);
    else if (opcode === OP.globalSet && immediate === this.#fuel)
      this.#refuse(start, "writes the fuel counter");
    else if (this.#region === undefined) return;
    else if ((opcode === OP.localSet || opcode === OP.localTee) && immediate === this.#region.local)
      this.#refuse(start, "writes the local that holds the fuel counter");
    else if (opcode === OP.callIndirect || (opcode === OP.call && this.#neutral[immediate] !== true))
      this.#refuse(start, "calls what may count in a loop that counts in a local");
  }

  #sequence(form: FoundForm, start: number): void {
    this.#inside = form.end;
    if (form.kind === "load") this.#load = form;
    if (form.kind === "bulk" || form.kind === "entries") this.#bound = form;
    const local = form.kind === "local-check" || form.kind === "local-charge";
    const inRegion = this.#region !== undefined;
    if (local !== inRegion || (local && form.local !== this.#region?.local))
      this.#refuse(start, "counts in another place than the code around it");
  }

  #loop(code: Instructions, end: number): void {
    const { start } = code;
    const form = formAt(this.#bytes, code.end, end, this.#fuel);
    if (this.#region !== undefined) this.#refuse(start, "has a loop in one that counts in a local");
    if (form?.kind === "check") return;
    const loaded = this.#load?.end === start && this.#load.local === form?.local;
    if (form?.kind !== "local-check" || !loaded)
      this.#refuse(start, "has a loop that does not check fuel at its header");
    this.#region = { local: form.local, depth: this.#depth };
  }

  #bulk({ start, operation }: Instructions): void {
    const wanted = MEMORY_BULK.has(operation) ? "bulk" : TABLE_BULK.has(operation) ? "entries" : undefined;
    if (wanted !== undefined && (this.#bound?.end !== start || this.#bound.kind !== wanted))
      this.#refuse(start, "moves memory or entries of a table in bulk without a bound");
  }

  #close(): void {
    if (this.#region?.depth === this.#depth) this.#region = undefined;
    this.#depth -= 1;
  }

  #refuse(at: number, problem: string): never {
    throw new UnmeteredCodeError(this.#index, at, problem);
  }
}
