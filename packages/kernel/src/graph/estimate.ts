/**
 * The dry run of a task graph: the same run, on a kernel of its own with a virtual clock, where each node sleeps as long as it is
 * expected to take. So the plan starts nodes exactly when the real run would, if every estimate were right and tasks cost nothing.
 */
import { createTestKernel, runToCompletion } from "../testing/run-to-completion.ts";
import { type GraphOptions, type GraphReport, runGraph } from "./run-graph.ts";
import { type GraphNode, TaskGraph } from "./task-graph.ts";

/** What a dry run says. Times in milliseconds. */
export interface GraphEstimate {
  /** From the start to the end of the last node. */
  readonly makespanMs: number;
  /** When each node would start, by id. */
  readonly starts: ReadonlyMap<string, number>;
  /** The chain of dependent nodes with the greatest sum of estimates, first to last. No concurrency makes the run shorter than it. */
  readonly criticalPath: readonly string[];
  readonly criticalPathMs: number;
  /** Nodes without an estimate, counted as 0 ms. */
  readonly unestimated: readonly string[];
}

/** Estimate how long a graph takes. Runs none of its nodes. @throws {BadOptionError} */
export function estimateGraph(graph: TaskGraph, options: GraphOptions = {}): GraphEstimate {
  const { kernel, clock } = createTestKernel();
  const asleep = new TaskGraph(graph.nodes.map(sleeper));
  let report: GraphReport | undefined;
  const task = kernel.spawn(function* (sys) {
    report = yield* runGraph(sys, asleep, options);
  });
  runToCompletion(kernel, clock);
  const exit = kernel.exitOf(task);
  if (report === undefined) throw exit?.kind === "failed" ? exit.error : exit;
  const starts = new Map([...report.nodes].map(([id, { startMs = 0 }]) => [id, startMs]));
  const unestimated = graph.nodes.filter(({ estimateMs }) => estimateMs === undefined).map(({ id }) => id);
  return { makespanMs: report.makespanMs, starts, unestimated, ...criticalPathOf(graph) };
}

function sleeper({ id, after = [], estimateMs = 0 }: GraphNode): GraphNode {
  return {
    id,
    after,
    run: function* (sys) {
      yield* sys.sleep(estimateMs);
    },
  };
}

/** The longest path, by dynamic programming over the order of the graph. */
function criticalPathOf(graph: TaskGraph): Pick<GraphEstimate, "criticalPath" | "criticalPathMs"> {
  const ends = new Array<number>(graph.nodes.length).fill(0);
  const before = new Array<number>(graph.nodes.length).fill(-1);
  let last = -1;
  for (const node of graph.order) {
    let startMs = 0;
    for (const dependency of graph.dependencies[node]!) {
      if (before[node] !== -1 && ends[dependency]! <= startMs) continue;
      startMs = ends[dependency]!;
      before[node] = dependency;
    }
    ends[node] = startMs + (graph.nodes[node]!.estimateMs ?? 0);
    if (last === -1 || ends[node]! > ends[last]!) last = node;
  }
  const criticalPathMs = last === -1 ? 0 : ends[last]!;
  const criticalPath: string[] = [];
  for (let node = last; node !== -1; node = before[node]!) criticalPath.push(graph.nodes[node]!.id);
  return { criticalPath: criticalPath.reverse(), criticalPathMs };
}
