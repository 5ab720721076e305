/** Refusals that concern replicas, one class each. */
import { CellsError } from "@glia-os/abi/errors/cells";
import type { AgentId } from "@glia-os/abi/ids";

/** An agent asks for a replica and for something that a replica could not do again. */
export class NotReplicableError extends CellsError<"cells.not-replicable"> {
  constructor(name: string, why: string) {
    super("cells.not-replicable", `Agent ${name} cannot have a replica: ${why}`, { details: { name, why } });
  }
}

/** A call that is not made twice was begun by a node that is gone; whether it was made, nobody knows. Told to the agent. */
export class OutcomeUnknownError extends CellsError<"cells.outcome-unknown"> {
  constructor(call: string) {
    super(
      "cells.outcome-unknown",
      `The node was gone while ${call} was under way: it was made once or not at all`,
      {
        details: { call },
      },
    );
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

/** An agent that was taken over as a suspended one has not run its record yet, and an image of it has no place for that. */
export class MidRecordError extends CellsError<"cells.mid-record"> {
  constructor(agent: AgentId) {
    super(
      "cells.mid-record",
      `Agent ${agent} was taken over while it was suspended, and has a record to run first`,
      {
        details: { agent },
      },
    );
  }
}

/** What waited to be held by a replica is not: it was lost. Senders ask again by themselves. */
export class ReplicaLostError extends CellsError<"cells.replica-lost"> {
  constructor(agent: AgentId) {
    super("cells.replica-lost", `The replica of agent ${agent} was lost`, { details: { agent } });
  }
}
