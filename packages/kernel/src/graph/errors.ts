/** The refusals of task graphs. */
import { KernelError } from "@glia-os/abi/errors/kernel";

/** Ids of a cycle that its message prints. */
const PRINTED = 20;

/** Two nodes have the same id. */
export class DuplicateNodeError extends KernelError<"kernel.duplicate-node"> {
  constructor(id: string) {
    super("kernel.duplicate-node", `two nodes have the id ${JSON.stringify(id)}`, { details: { id } });
  }
}

/** Nodes depend on each other in a circle. */
export class GraphCycleError extends KernelError<"kernel.graph-cycle"> {
  /** The ids of the cycle: each depends on the next, the last on the first. */
  readonly cycle: readonly string[];

  constructor(cycle: readonly string[]) {
    const more = cycle.length > PRINTED ? ` -> ... (${cycle.length - PRINTED} more)` : "";
    const printed = cycle.slice(0, PRINTED).join(" -> ");
    super("kernel.graph-cycle", `each depends on the next: ${printed}${more} -> ${cycle[0]}`, {
      details: { length: cycle.length },
    });
    this.cycle = cycle;
  }
}

/** A node depends on one that is not in the graph. */
export class UnknownDependencyError extends KernelError<"kernel.unknown-dependency"> {
  constructor(node: string, dependency: string) {
    super(
      "kernel.unknown-dependency",
      `node ${JSON.stringify(node)} depends on ${JSON.stringify(dependency)}, which is not in the graph`,
      { details: { node, dependency } },
    );
  }
}
