import type { Sys } from "@glia-os/kernel";
import {
  estimateGraph,
  GraphCycleError,
  type GraphNode,
  type GraphOptions,
  runGraph,
  TaskGraph,
} from "@glia-os/kernel/graph";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, resultOf, run } from "./run.ts";

function* nothing() {}

function node(
  id: string,
  after: readonly string[] = [],
  estimateMs = 0,
  run: GraphNode["run"] = nothing,
): GraphNode {
  return { id, after, estimateMs, run };
}

/** A node that takes its estimate and logs when it starts and ends. */
function sleeper(log: string[], id: string, after: readonly string[], ms: number): GraphNode {
  return node(id, after, ms, function* (sys) {
    log.push(`${id} starts`);
    yield* sys.sleep(ms);
    log.push(`${id} ends`);
    return id.toUpperCase();
  });
}

const reportOf = (graph: TaskGraph, options?: GraphOptions) =>
  resultOf(function* (sys) {
    return yield* runGraph(sys, graph, options);
  });

/** A random graph without cycles: each node depends on earlier ones, then the list is shuffled. */
const graphs = fc
  .array(fc.record({ picks: fc.array(fc.nat(), { maxLength: 4 }), ms: fc.nat(50), sort: fc.nat() }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((rows) =>
    rows
      .map(({ picks, ms, sort }, i) => ({
        sort,
        id: `n${i}`,
        ms,
        after: i === 0 ? [] : picks.map((pick) => `n${pick % i}`),
      }))
      .sort((a, b) => a.sort - b.sort),
  );

test("U1: every node starts after everything it depends on has ended, and gets its results", () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 5 }), (rows, concurrency) => {
      const log: string[] = [];
      const graph = new TaskGraph(
        rows.map(({ id, after, ms }) => ({
          ...sleeper(log, id, after, ms),
          run: function* (sys, results) {
            expect([...results.keys()].sort()).toEqual([...new Set(after)].sort());
            for (const [from, result] of results) expect(result).toBe(from.toUpperCase());
            log.push(`${id} starts`);
            yield* sys.sleep(ms);
            log.push(`${id} ends`);
            return id.toUpperCase();
          },
        })),
      );
      const report = reportOf(graph, { concurrency });
      expect(report.ok).toBe(true);
      expect([...report.nodes.keys()]).toEqual(rows.map(({ id }) => id));
      for (const { id, after } of rows)
        for (const earlier of after)
          expect(log.indexOf(`${earlier} ends`)).toBeLessThan(log.indexOf(`${id} starts`));
      let running = 0;
      for (const line of log) {
        running += line.endsWith("starts") ? 1 : -1;
        expect(running).toBeLessThanOrEqual(concurrency);
      }
    }),
  );
});

test("the dry run says exactly when each node starts and how long all takes, when the estimates are right", () => {
  fc.assert(
    fc.property(graphs, fc.integer({ min: 1, max: 5 }), (rows, concurrency) => {
      const graph = new TaskGraph(rows.map(({ id, after, ms }) => sleeper([], id, after, ms)));
      const estimate = estimateGraph(graph, { concurrency });
      const report = reportOf(graph, { concurrency });
      expect(estimate.makespanMs).toBe(report.makespanMs);
      expect([...estimate.starts]).toEqual([...report.nodes].map(([id, { startMs }]) => [id, startMs]));
      expect(estimate.criticalPathMs).toBeLessThanOrEqual(estimate.makespanMs);
      const times = new Map(rows.map(({ id, ms }) => [id, ms]));
      expect(estimate.criticalPath.reduce((sum, id) => sum + times.get(id)!, 0)).toBe(
        estimate.criticalPathMs,
      );
      for (const [i, id] of estimate.criticalPath.entries())
        if (i > 0) expect(rows.find((row) => row.id === id)!.after).toContain(estimate.criticalPath[i - 1]);
      const free = estimateGraph(graph);
      expect(free.makespanMs).toBe(free.criticalPathMs);
    }),
  );
});

test("an estimate names makespan, critical path, starts, and the nodes without an estimate; it runs nothing", () => {
  let ran = 0;
  const work = function* () {
    ran++;
  };
  const graph = new TaskGraph([
    node("fetch", [], 100, work),
    node("parse", ["fetch"], 50, work),
    node("lint", ["fetch"], 10, work),
    { id: "report", after: ["parse", "lint"], run: work },
  ]);
  expect(estimateGraph(graph, { concurrency: 2 })).toEqual({
    makespanMs: 150,
    starts: new Map([
      ["fetch", 0],
      ["parse", 100],
      ["lint", 100],
      ["report", 150],
    ]),
    criticalPath: ["fetch", "parse"],
    criticalPathMs: 150,
    unestimated: ["report"],
  });
  expect(ran).toBe(0);
  expect(estimateGraph(new TaskGraph([]))).toMatchObject({
    makespanMs: 0,
    criticalPath: [],
    criticalPathMs: 0,
  });
});

test("Mayfly panicked on an unknown dependency and on a cycle: both are typed errors, and the cycle is printed", () => {
  expect(() => new TaskGraph([node("a", ["b"])])).toThrow(
    expect.objectContaining({
      code: "kernel.unknown-dependency",
      message: expect.stringContaining('"a" depends on "b"'),
    }),
  );
  expect(
    () =>
      new TaskGraph([
        node("start"),
        node("a", ["c", "start"]),
        node("b", ["a"]),
        node("c", ["b"]),
        node("end", ["c"]),
      ]),
  ).toThrow(
    expect.objectContaining({
      code: "kernel.graph-cycle",
      message: "each depends on the next: a -> c -> b -> a",
    }),
  );
  expect(() => new TaskGraph([node("self", ["self"])])).toThrow("self -> self");
  expect(codeOf(() => new TaskGraph([node("a"), node("a")]))).toBe("kernel.duplicate-node");
});

test("a cycle is found in any graph that has one, and each node of it depends on the next", () => {
  fc.assert(
    fc.property(graphs, fc.nat(), fc.nat(), (rows, from, to) => {
      const [a, b] = [rows[from % rows.length]!, rows[to % rows.length]!];
      const nodes = rows.map((row) => node(row.id, row === a ? [...row.after, b.id] : row.after));
      try {
        new TaskGraph(nodes);
      } catch (error) {
        expect(error).toBeInstanceOf(GraphCycleError);
        const { cycle } = error as GraphCycleError;
        for (const [i, id] of cycle.entries())
          expect(nodes.find((n) => n.id === id)!.after).toContain(cycle[(i + 1) % cycle.length]);
      }
    }),
  );
});

test("a cycle of 65,536 nodes is found without running out of stack, and printed in part", () => {
  const count = 65_536;
  const ring = Array.from({ length: count }, (_, i) => node(`n${i}`, [`n${(i + 1) % count}`]));
  expect(() => new TaskGraph(ring)).toThrow("n18 -> n19 -> ... (65516 more) -> n0");
});

test("Mayfly ran dependents before their dependency: a dependent waits however long it takes, and runs only after success", () => {
  const log: string[] = [];
  const report = reportOf(
    new TaskGraph([
      sleeper(log, "late", ["slow"], 0),
      sleeper(log, "slow", [], 10_000),
      node("broken", [], 0, function* () {
        throw new RangeError("broken");
      }),
      sleeper(log, "never", ["broken"], 0),
    ]),
    { onFailure: "continue" },
  );
  expect(log).toEqual(["slow starts", "slow ends", "late starts", "late ends"]);
  expect([...report.nodes.values()].map(({ state }) => state)).toEqual([
    "succeeded",
    "succeeded",
    "failed",
    "skipped",
  ]);
  expect(report.ok).toBe(false);
});

test("U2: under `stop` a failure cancels what runs and starts nothing more; the report names every node and the error", () => {
  const error = new RangeError("broken");
  const log: string[] = [];
  const graph = new TaskGraph([
    node("broken", [], 0, function* (sys) {
      yield* sys.sleep(5);
      throw error;
    }),
    sleeper(log, "long", [], 1000),
    sleeper(log, "after", ["long"], 0),
    sleeper(log, "queued", [], 0),
  ]);
  const report = reportOf(graph, { concurrency: 2 });
  expect(report.nodes.get("broken")).toMatchObject({ state: "failed", error, startMs: 0, endMs: 5 });
  expect(report.nodes.get("long")).toMatchObject({
    state: "cancelled",
    error: "node broken did not succeed",
  });
  expect(report.nodes.get("after")).toMatchObject({ state: "skipped", startMs: undefined });
  expect(report.nodes.get("queued")).toMatchObject({ state: "skipped" });
  expect([report.makespanMs, log]).toEqual([5, ["long starts"]]);
});

test("U3: killing the task that runs a graph ends its nodes", () => {
  const { kernel, clock } = createTestKernel();
  const graph = new TaskGraph(Array.from({ length: 10 }, (_, i) => sleeper([], `n${i}`, [], 1e6)));
  const task = kernel.spawn((sys: Sys) => runGraph(sys, graph));
  kernel.runSlice();
  expect(kernel.liveTasks).toBe(11);
  kernel.kill(task);
  expect([runToCompletion(kernel, clock), clock.monotonicMs()]).toEqual(["ended", 0]);
});

test("nodes get the handles they ask for, from the task that runs the graph", () => {
  const got = resultOf(function* (sys) {
    const box = sys.mailbox<string>();
    const graph = new TaskGraph([
      {
        id: "sender",
        give: [box],
        run: function* (sys, _results, out) {
          yield* sys.send(out!, "hello");
        },
      },
    ]);
    yield* runGraph(sys, graph);
    return yield* sys.receive(box);
  });
  expect(got).toBe("hello");
});

test("bad nodes and options are refused and start nothing", () => {
  for (const nodes of [
    [node("")],
    [node("x".repeat(129))],
    [node("a", [], -1)],
    [node("a", [], Number.NaN)],
    [{ id: "a", run: undefined as never }],
    Array.from({ length: 65_537 }, (_, i) => node(String(i))),
    "nodes" as never,
  ])
    expect(codeOf(() => new TaskGraph(nodes))).toBe("kernel.bad-option");
  const dense = Array.from({ length: 1100 }, (_, i) => String(i));
  expect(codeOf(() => new TaskGraph(dense.map((id, i) => node(id, i < 100 ? [] : dense))))).toBe(
    "kernel.bad-option",
  );
  for (const options of [{ concurrency: 0 }, { concurrency: 65 }, { onFailure: "retry" as "stop" }]) {
    const graph = new TaskGraph([node("a")]);
    const { exit, kernel } = run((sys: Sys) => runGraph(sys, graph, options));
    expect([exit, kernel.counters().spawned]).toMatchObject([
      { kind: "failed", error: { code: "kernel.bad-option" } },
      1,
    ]);
    expect(codeOf(() => estimateGraph(graph, options))).toBe("kernel.bad-option");
  }
});
