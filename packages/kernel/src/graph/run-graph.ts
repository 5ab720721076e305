/**
 * Running a task graph: one child task per node, at most `concurrency` at a time.
 *
 * U1. A node starts only after every node it depends on has succeeded, and gets their results.
 * U2. When a node does not succeed, what depends on it is skipped. Under `stop` (default) what runs is cancelled and nothing else starts;
 *     under `continue` the rest of the graph runs.
 * U3. No node outlives the run: however the task that runs the graph leaves it, the children are ended.
 * U4. The report has every node, in the order they were given.
 */
import { BadOptionError } from "../errors.ts";
import type { Routine } from "../operation.ts";
import { checkOptions } from "../options.ts";
import { endChild } from "../retry/deadline.ts";
import type { Sys } from "../sys.ts";
import type { Exit, TaskId } from "../task.ts";
import { TaskGraph } from "./task-graph.ts";

/** Most nodes that run at a time: what `waitAny` can wait for. */
const CONCURRENCY_MOST = 64;

/** How a graph is run. */
export interface GraphOptions {
  /** Nodes that run at a time: 1 to 64, default 64. */
  readonly concurrency?: number;
  /** What a failure does to the rest (U2). */
  readonly onFailure?: "stop" | "continue";
}

/** What became of a node. Times are milliseconds since the run began; a skipped node has none. */
export interface NodeReport {
  readonly id: string;
  readonly state: "succeeded" | "failed" | "cancelled" | "skipped";
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  /** What it returned. */
  readonly result: unknown;
  /** What it threw, or why it was cancelled. */
  readonly error: unknown;
}

/** What became of a graph. */
export interface GraphReport {
  /** Whether every node succeeded. */
  readonly ok: boolean;
  readonly nodes: ReadonlyMap<string, NodeReport>;
  /** Time from the start to the end of the last node. */
  readonly makespanMs: number;
}

interface Started {
  readonly node: number;
  readonly startMs: number;
}

/** One run. */
class GraphRun {
  readonly #sys: Sys;
  readonly #graph: TaskGraph;
  readonly #keepGoing: boolean;
  readonly #missing: number[];
  readonly #reports: (NodeReport | undefined)[];
  readonly #beganMs: number;
  readonly running = new Map<TaskId, Started>();
  /** Nodes that may start; those before `#next` did. */
  readonly #free: number[] = [];
  #next = 0;
  #stopped = false;

  constructor(sys: Sys, graph: TaskGraph, keepGoing: boolean) {
    this.#sys = sys;
    this.#graph = graph;
    this.#keepGoing = keepGoing;
    this.#missing = graph.dependencies.map(({ length }) => length);
    this.#reports = graph.nodes.map(() => undefined);
    this.#beganMs = sys.now();
    for (const node of graph.order) if (this.#missing[node] === 0) this.#free.push(node);
  }

  /** Start what may start. */
  start(concurrency: number): void {
    while (!this.#stopped && this.#next < this.#free.length && this.running.size < concurrency) {
      const node = this.#free[this.#next++]!;
      const { id, give = [], run } = this.#graph.nodes[node]!;
      const results = new Map<string, unknown>();
      for (const dependency of this.#graph.dependencies[node]!)
        results.set(this.#graph.nodes[dependency]!.id, this.#reports[dependency]!.result);
      const startMs = this.#now();
      const owner = this.#graph.nodes[node]!;
      const task = this.#sys.spawn((sys, ...given) => run.call(owner, sys, results, ...given), {
        name: id,
        give,
      });
      this.running.set(task, { node, startMs });
    }
  }

  /** Note the end of a node, and what follows from it. */
  settle(task: TaskId, exit: Exit): void {
    const { node, startMs } = this.running.get(task)!;
    this.running.delete(task);
    const ok = exit.kind === "ok";
    const state = ok ? "succeeded" : exit.kind === "failed" ? "failed" : "cancelled";
    const result = ok ? exit.value : undefined;
    const error = ok ? undefined : exit.kind === "failed" ? exit.error : exit.reason;
    const { id } = this.#graph.nodes[node]!;
    this.#reports[node] = { id, state, startMs, endMs: this.#now(), result, error };
    if (ok) {
      for (const dependent of this.#graph.dependents[node]!)
        if (--this.#missing[dependent]! === 0) this.#free.push(dependent);
    } else if (!this.#keepGoing && !this.#stopped) this.#stop(id);
  }

  report(): GraphReport {
    const nodes = this.#graph.nodes.map(({ id }, node) => [id, this.#reports[node] ?? skipped(id)] as const);
    return {
      ok: nodes.every(([, { state }]) => state === "succeeded"),
      nodes: new Map(nodes),
      makespanMs: nodes.reduce((latest, [, { endMs = 0 }]) => Math.max(latest, endMs), 0),
    };
  }

  #stop(failed: string): void {
    this.#stopped = true;
    for (const task of this.running.keys()) this.#sys.cancel(task, `node ${failed} did not succeed`);
  }

  #now(): number {
    return this.#sys.now() - this.#beganMs;
  }
}

/**
 * Run a graph from inside a task: `const report = yield* runGraph(sys, graph)`. Failures of nodes are in the report.
 * @throws {BadOptionError}, and what `spawn` refuses; then the nodes that run are ended.
 */
export function* runGraph(sys: Sys, graph: TaskGraph, options: GraphOptions = {}): Routine<GraphReport> {
  checkOptions("the options of a run", options);
  if (!(graph instanceof TaskGraph)) throw new BadOptionError("graph", graph, "a TaskGraph");
  const { concurrency = CONCURRENCY_MOST, onFailure = "stop" } = options;
  if (!(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= CONCURRENCY_MOST))
    throw new BadOptionError("concurrency", concurrency, `a whole number from 1 to ${CONCURRENCY_MOST}`);
  if (onFailure !== "stop" && onFailure !== "continue")
    throw new BadOptionError("onFailure", onFailure, "stop or continue");
  const run = new GraphRun(sys, graph, onFailure === "continue");
  try {
    for (;;) {
      run.start(concurrency);
      if (run.running.size === 0) return run.report();
      const [task, exit] = yield* sys.waitAny([...run.running.keys()]);
      run.settle(task, exit);
    }
  } finally {
    for (const task of run.running.keys()) endChild(sys, task);
  }
}

function skipped(id: string): NodeReport {
  return { id, state: "skipped", startMs: undefined, endMs: undefined, result: undefined, error: undefined };
}
