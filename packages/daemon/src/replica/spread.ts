/**
 * The order in which nodes are chosen for copies of one agent, so that one machine that fails takes few of them with it.
 *
 * SP1. Each next one is the first, in the order given, on a machine that has none yet; when there is no such, the first that is left. A node whose
 *      machine is not known counts as one on a machine of its own.
 */
import type { NodeId } from "@glia-os/abi/ids";

/** The nodes in that order. `taken` have a copy already, or the agent. */
export function spread(
  nodes: readonly NodeId[],
  taken: readonly NodeId[],
  machineOf: (node: NodeId) => string | undefined,
): readonly NodeId[] {
  const used = new Set(taken.map(machineOf).filter((machine) => machine !== undefined));
  const [apart, together]: [NodeId[], NodeId[]] = [[], []];
  for (const node of nodes) {
    const machine = machineOf(node);
    const isShared = machine !== undefined && used.has(machine);
    (isShared ? together : apart).push(node);
    if (machine !== undefined) used.add(machine);
  }
  return [...apart, ...together];
}
