/**
 * The state every agent of one module starts from, as the base of what is kept and sent of each.
 *
 * GO1. It depends on the module alone: whoever has the module makes the same state, so it never has to be sent.
 */
import type { AdmittedProgram, EngineInstance } from "@glia-os/abi/ports";
import { GUEST_ERRORS } from "@glia-os/abi/wire";
import { type Checkpoint, checkpointOf } from "@glia-os/wasm";
import { NoGoldenStateError } from "../errors.ts";

/** Slices an agent may take to its first wait. */
const SLICES = 1000;
const SLICE_FUEL = 10_000_000_000;

/**
 * The state of an agent at its first wait, on a clock that stands at 0 and random bytes that are all zero. Costs a spawn and one
 * pass over its memory; keep it beside the program.
 * @throws NoGoldenStateError when it ends, fails or does not wait
 */
export function goldenState(program: AdmittedProgram): Checkpoint {
  const instance = program.instantiate(
    {},
    {
      log: () => undefined,
      wallMs: () => 0,
      random: (target) => void target.fill(0),
      reply: () => GUEST_ERRORS.E_STATE,
    },
  );
  try {
    runToWait(instance);
    return checkpointOf(instance.snapshot());
  } finally {
    instance.dispose();
  }
}

function runToWait(instance: EngineInstance): void {
  let outcome = instance.step(undefined, SLICE_FUEL);
  for (let left = SLICES; left > 0; left--) {
    if (outcome.kind === "finished" || outcome.kind === "failed") throw new NoGoldenStateError("ended");
    if (outcome.kind === "pending" && outcome.call.op !== "yield") return;
    outcome = instance.step(outcome.kind === "pending" ? { value: 0 } : undefined, SLICE_FUEL);
  }
  throw new NoGoldenStateError("did not wait");
}
