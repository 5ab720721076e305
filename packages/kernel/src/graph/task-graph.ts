/**
 * A graph of tasks: nodes with ids, each after those it depends on. Checked as a whole when it is made, and fixed from then on.
 *
 * G1. Every dependency is a node of the graph, no id stands twice, and there is no cycle.
 * G2. `order` lists every node after its dependencies; nodes that are free at the same moment stand as they were given.
 */
import { DURATION_LIMIT_MS } from "../constants.ts";
import { BadOptionError } from "../errors.ts";
import type { Handle } from "../handle.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import { shown } from "../shown.ts";
import type { Gift, Sys } from "../sys.ts";
import { DuplicateNodeError, GraphCycleError, UnknownDependencyError } from "./errors.ts";

const NODES_MOST = 65_536;
const EDGES_MOST = 1_048_576;
const ID_LENGTH_MOST = 128;

/** Results of the nodes that a node depends on, by id. */
export type Results = ReadonlyMap<string, unknown>;

/** A node. */
export interface GraphNode<Result = unknown> {
  /** 1 to 128 characters; the task's name too. */
  readonly id: string;
  /** Ids of the nodes that must have succeeded before this one starts. */
  readonly after?: readonly string[];
  /** How long it is expected to take, for `estimate`: milliseconds, default 0. */
  readonly estimateMs?: number;
  /** Handles for its task; the task that runs the graph must hold them. */
  readonly give?: readonly Gift[];
  /** What it does. Gets the results of what it depends on, and the handles. */
  run(sys: Sys, results: Results, ...given: Handle[]): Routine<Result>;
}

/** A checked graph. */
export class TaskGraph {
  /** The nodes as they were given. */
  readonly nodes: readonly GraphNode[];
  /** Indexes into `nodes`, dependencies first (G2). */
  readonly order: readonly number[];
  /** Per node, the nodes it depends on, without repetition. */
  readonly dependencies: readonly (readonly number[])[];
  /** Per node, the nodes that depend on it. */
  readonly dependents: readonly (readonly number[])[];

  /**
   * Check nodes. O(nodes + dependencies). At most 65,536 nodes and 1,048,576 dependencies.
   * @throws {BadOptionError} {DuplicateNodeError} {UnknownDependencyError} {GraphCycleError}
   */
  constructor(nodes: readonly GraphNode[]) {
    if (!Array.isArray(nodes) || nodes.length > NODES_MOST)
      throw new BadOptionError("graph nodes", nodes?.length, `a list of at most ${NODES_MOST}`);
    this.nodes = [...nodes];
    const places = placesOf(this.nodes);
    this.dependencies = dependenciesOf(this.nodes, places);
    const dependents: number[][] = this.nodes.map(() => []);
    for (const [node, earlier] of this.dependencies.entries())
      for (const dependency of earlier) dependents[dependency]!.push(node);
    this.dependents = dependents;
    this.order = orderOf(this.dependencies, dependents);
    if (this.order.length < this.nodes.length) throw new GraphCycleError(this.#cycle());
  }

  /** A cycle among the nodes that no order could place: each of them waits for another of them. */
  #cycle(): string[] {
    const placed = new Set(this.order);
    const seen = new Map<number, number>();
    const path: number[] = [];
    let node = this.nodes.findIndex((_, i) => !placed.has(i));
    while (!seen.has(node)) {
      seen.set(node, path.length);
      path.push(node);
      node = this.dependencies[node]!.find((dependency) => !placed.has(dependency))!;
    }
    return path.slice(seen.get(node)).map((i) => this.nodes[i]!.id);
  }
}

function placesOf(nodes: readonly GraphNode[]): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (const [place, node] of nodes.entries()) {
    checkOptions("a node", node);
    const { id, estimateMs = 0, run } = node;
    if (typeof id !== "string" || id.length === 0 || id.length > ID_LENGTH_MOST)
      throw new BadOptionError("node id", shown(id, 40), `text of 1 to ${ID_LENGTH_MOST} characters`);
    if (!(typeof estimateMs === "number" && estimateMs >= 0 && estimateMs <= DURATION_LIMIT_MS))
      throw new BadOptionError(`estimateMs of ${id}`, estimateMs, `from 0 to ${DURATION_LIMIT_MS}`);
    if (typeof run !== "function") throw new BadOptionError(`run of ${id}`, run, "a generator function");
    if (places.has(id)) throw new DuplicateNodeError(id);
    places.set(id, place);
  }
  return places;
}

function dependenciesOf(nodes: readonly GraphNode[], places: ReadonlyMap<string, number>): number[][] {
  let edges = 0;
  return nodes.map(({ id, after = [] }) => {
    edges += after.length;
    if (edges > EDGES_MOST) throw new BadOptionError("graph dependencies", edges, `at most ${EDGES_MOST}`);
    const found = new Set<number>();
    for (const dependency of after) {
      const place = places.get(dependency);
      if (place === undefined) throw new UnknownDependencyError(id, dependency);
      found.add(place);
    }
    return [...found];
  });
}

/** Kahn's algorithm ("Topological sorting of large networks", 1962). Shorter than the graph when there is a cycle. */
function orderOf(
  dependencies: readonly (readonly number[])[],
  dependents: readonly (readonly number[])[],
): number[] {
  const missing = dependencies.map(({ length }) => length);
  const order = missing.flatMap((count, node) => (count === 0 ? [node] : []));
  for (let i = 0; i < order.length; i++)
    for (const node of dependents[order[i]!]!) if (--missing[node]! === 0) order.push(node);
  return order;
}
