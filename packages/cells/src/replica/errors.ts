/** Refusals that concern replicas, one class each. */
import { CellsError } from "@glia-os/abi/errors/cells";

/** An agent asks for a replica and for something that a replica could not do again. */
export class NotReplicableError extends CellsError<"cells.not-replicable"> {
  constructor(name: string, why: string) {
    super("cells.not-replicable", `Agent ${name} cannot have a replica: ${why}`, { details: { name, why } });
  }
}

/** A guest that was run again from its record did something else than before. */
export class ReplayDivergedError extends CellsError<"cells.replay-diverged"> {
  constructor(did: string) {
    super("cells.replay-diverged", `The guest did not do again what it did before: ${did}`, {
      details: { did },
    });
  }
}
