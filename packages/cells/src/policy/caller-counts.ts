/**
 * How many messages each agent of a node got from which nodes since it was asked last.
 *
 * CC1. Of each agent at most {@link CALLERS_MAX} nodes are counted. For another one the least counted gives up its place and its count, so the
 *      nodes that send most are among those that are kept, and a count is too high at most by that of the least ("space saving": Metwally,
 *      Agrawal and El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005).
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";

/** Nodes that are counted for one agent (CC1). */
export const CALLERS_MAX = 32;

/** Counts of one node's agents. */
export class CallerCounts {
  #agents = new Map<AgentId, Map<NodeId, number>>();

  /** A message of a node was accepted for an agent. O(1) amortised, O({@link CALLERS_MAX}) for one node too many. */
  note(agent: AgentId, from: NodeId): void {
    let counts = this.#agents.get(agent);
    if (counts === undefined) {
      counts = new Map();
      this.#agents.set(agent, counts);
    }
    const known = counts.get(from);
    if (known !== undefined || counts.size < CALLERS_MAX) counts.set(from, (known ?? 0) + 1);
    else counts.set(from, takeLeast(counts) + 1);
  }

  /** What was counted since the last call; counting begins anew. */
  take(): ReadonlyMap<AgentId, ReadonlyMap<NodeId, number>> {
    const counted = this.#agents;
    this.#agents = new Map();
    return counted;
  }
}

function takeLeast(counts: Map<NodeId, number>): number {
  let least: readonly [NodeId, number] | undefined;
  for (const one of counts) if (least === undefined || one[1] < least[1]) least = one;
  if (least === undefined) return 0;
  counts.delete(least[0]);
  return least[1];
}
