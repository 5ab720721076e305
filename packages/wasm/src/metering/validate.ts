/**
 * Proves of a module what the engine relies on to bound it, from its bytes alone (docs/spec/fuel.md, "What admission proves").
 *
 * VF1. Every loop header is followed at once by a check, so no loop runs on without fuel.
 * VF2. Every function on a cycle of calls, and every one that could run long without a check, starts with one (call-graph.ts).
 * VF3. Nothing but the sequences of forms.ts writes the counter, so no code gives itself fuel.
 * VF4. `memory.fill` and `memory.copy` follow the sequence that bounds and charges them.
 * VF5. O(code size), no recursion.
 */
import { bodyHead } from "../binary/body.ts";
import { functionReferences } from "../binary/function-references.ts";
import { Instructions, OP } from "../binary/instruction.ts";
import type { FunctionType, ModuleOutline } from "../binary/outline.ts";
import { NotInstrumentedError, UnmeteredCodeError } from "../errors.ts";
import { callGraph, callPlan } from "./call-graph.ts";
import { fuelGlobal, MOST_UNCHECKED_ADMITTED } from "./enforce.ts";
import { formAt } from "./forms.ts";

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
  for (const [at, { end }] of outline.bodies.entries()) {
    const index = graph.imported + at;
    const start = starts[at] as number;
    if (checked[index] === true && present[at] !== true)
      throw new UnmeteredCodeError(
        index,
        start,
        "can call itself, or runs long, and does not check fuel at its entry",
      );
    checkBody(new Instructions(bytes, start, end), bytes, index, fuel);
  }
}

function checkBody(code: Instructions, bytes: Uint8Array, index: number, fuel: number): void {
  const { end } = code.reader;
  // Instructions before `inside` belong to a sequence that was recognised; a bulk operation must start at `bounded`.
  let inside = 0;
  let bounded = 0;
  while (code.next()) {
    const { opcode, start } = code;
    if (start >= inside) {
      const form = formAt(bytes, start, end, fuel);
      if (form !== undefined) inside = form.end;
      if (form?.kind === "bulk") bounded = form.end;
      if (opcode === OP.globalSet && code.immediate === fuel)
        throw new UnmeteredCodeError(index, start, "writes the fuel counter");
    }
    if (opcode === OP.loop && formAt(bytes, code.end, end, fuel)?.kind !== "check")
      throw new UnmeteredCodeError(index, start, "has a loop that does not check fuel at its header");
    if (opcode === OP.bulk && code.operation > 7 && code.operation < 12 && start !== bounded)
      throw new UnmeteredCodeError(index, start, "moves memory in bulk without a bound");
  }
}
