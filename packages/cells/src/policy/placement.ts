/**
 * Where an agent is best moved to, among nodes that answered what they have to do (docs/spec/policy.md).
 *
 * PL1. A node that takes no agents is never chosen. The rest is a preference: whoever is asked may still refuse, and the next one is tried.
 * PL2. The order is total and does not depend on the order of the candidates, so that everybody who knows the same chooses the same.
 */
import type { NodeId } from "@glia-os/abi/ids";

/** What a node says of itself, and how far it is away. */
export interface PlacementCandidate {
  readonly node: NodeId;
  /** Whether it takes agents: it is not drained, and no policy of its own moves agents away. */
  readonly takes: boolean;
  /** Busy share of its processors, 0 to 1; undefined when unknown. */
  readonly cpuLoad: number | undefined;
  /** Used share of its memory, 0 to 1; undefined when unknown. */
  readonly memoryLoad: number | undefined;
  /** Agents there, with those that were sent there since it answered. */
  readonly hosting: number;
  /** Round trip in milliseconds; undefined when unknown. */
  readonly rttMs: number | undefined;
}

/** What counts how much: load most, so that agents spread; then how many agents are there, then distance. */
const WEIGHTS = { cpu: 0.5, memory: 0.2, hosting: 0.02, latency: 0.002 } as const;
/** What is not known counts as middling: neither a reason to go there nor one not to. */
const UNKNOWN_LOAD = 0.5;
const UNKNOWN_RTT_MS = 50;

/** The cost of a node: lower is better. */
export function placementCost({ cpuLoad, memoryLoad, hosting, rttMs }: PlacementCandidate): number {
  return (
    WEIGHTS.cpu * (cpuLoad ?? UNKNOWN_LOAD) +
    WEIGHTS.memory * (memoryLoad ?? UNKNOWN_LOAD) +
    WEIGHTS.hosting * hosting +
    WEIGHTS.latency * (rttMs ?? UNKNOWN_RTT_MS)
  );
}

/** The nodes that take agents, the best first (PL1, PL2). O(n log n). */
export function ranked(candidates: readonly PlacementCandidate[]): readonly PlacementCandidate[] {
  return candidates
    .filter(({ takes }) => takes)
    .map((candidate) => ({ candidate, cost: placementCost(candidate) }))
    .sort((a, b) => a.cost - b.cost || (a.candidate.node < b.candidate.node ? -1 : 1))
    .map(({ candidate }) => candidate);
}
