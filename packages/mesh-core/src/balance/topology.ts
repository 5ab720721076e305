/**
 * Who talks to whom, for any number of nodes: each of the seeds' four topologies as a list of neighbours.
 *
 * TO1. Neighbourship is mutual, nobody is its own neighbour, and everybody reaches everybody.
 * TO2. Every node that knows the same set of ids computes the same topology, whatever order it got them in.
 */
import { InvalidOptionError } from "../errors.ts";

/** The kinds. In a star and a tree the least id is the centre or root. */
export type TopologyKind = "mesh" | "ring" | "star" | "tree";

/** Children per node of a tree. */
export const TREE_FANOUT = 2;

/**
 * The neighbours of every node, each list in ascending order: `mesh` all others; `ring` the one before and the one after by id; `star` the
 * centre; `tree` parent and children of a complete tree with `fanout` (1 to 1,024) children per node. O(nodes), O(nodes^2) for `mesh`.
 * @throws {InvalidOptionError}.
 */
export function topology<Id extends string>(
  kind: TopologyKind,
  nodes: readonly Id[],
  fanout: number = TREE_FANOUT,
): Map<Id, readonly Id[]> {
  if (!Number.isInteger(fanout) || fanout < 1 || fanout > 1024)
    throw new InvalidOptionError("fanout", `${fanout} is not an integer from 1 to 1,024`);
  const ids = [...new Set(nodes)].sort((a, b) => (a < b ? -1 : 1));
  const at = (indexes: readonly number[], self: number): Id[] =>
    [...new Set(indexes)]
      .filter((index) => index >= 0 && index < ids.length && index !== self)
      .sort((a, b) => a - b)
      .map((index) => ids[index] as Id);
  return new Map(ids.map((id, self) => [id, at(neighbours(kind, self, ids.length, fanout), self)]));
}

function neighbours(kind: TopologyKind, self: number, count: number, fanout: number): number[] {
  const all = (): number[] => Array.from({ length: count }, (_, index) => index);
  switch (kind) {
    case "mesh":
      return all();
    case "ring":
      return [(self + count - 1) % count, (self + 1) % count];
    case "star":
      return self === 0 ? all() : [0];
    default: {
      const children = Array.from({ length: fanout }, (_, child) => fanout * self + 1 + child);
      return self === 0 ? children : [Math.floor((self - 1) / fanout), ...children];
    }
  }
}
