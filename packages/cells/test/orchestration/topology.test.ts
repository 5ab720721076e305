/** Topologies: edges, ways, messages along them, and repair. */
import { SeededRandom } from "@glia-os/abi/testing";
import { VirtualTime } from "@glia-os/mesh-core/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AgentProcess } from "../../src/agent/agent-process.ts";
import { type AgentContext, agent } from "../../src/agent/index.ts";
import {
  createTopology,
  flood,
  neighbours,
  nothingSeen,
  type Relayed,
  relay,
  route,
  type Seen,
  type Topology,
  withMember,
  without,
} from "../../src/orchestration/index.ts";
import { SimulatedAgents } from "../../src/testing/simulated-agents.ts";
import { codeOf, idOf } from "./ids.ts";

const KINDS = ["mesh", "ring", "star", "tree"] as const;
const of = (kind: (typeof KINDS)[number], count: number): Topology =>
  createTopology(
    kind,
    Array.from({ length: count }, (_, n) => idOf(n)),
  );

function reached(topology: Topology): number {
  const [first] = topology.members;
  if (first === undefined) return 0;
  const found = new Set([first]);
  for (const member of found) for (const next of neighbours(topology, member)) found.add(next);
  return found.size;
}

interface Node {
  topology: Topology | null;
  seen: Seen;
  heard: unknown[];
}
const node = agent({
  name: "node",
  state: (): Node => ({ topology: null, seen: nothingSeen(), heard: [] }),
  on: {
    view: { handle: (ctx: AgentContext<Node>, topology: Topology) => void (ctx.state.topology = topology) },
    say: {
      handle: (ctx: AgentContext<Node>, payload: unknown) =>
        flood(ctx, ctx.state.topology as Topology, ctx.state.seen, "news", payload),
    },
    news: {
      handle(ctx: AgentContext<Node>, message: Relayed) {
        const { topology, seen, heard } = ctx.state;
        if (topology !== null && relay(ctx, topology, seen, "news", message)) heard.push(message.payload);
      },
    },
  },
});

function network(kind: (typeof KINDS)[number], count: number, seed = 1) {
  const time = new VirtualTime();
  const agents = new SimulatedAgents({ time, random: new SeededRandom(seed) });
  const all = Array.from({ length: count }, () => agents.make(node));
  let topology = createTopology(
    kind,
    all.map(({ ref }) => ref.id),
  );
  const tellAll = (): void => {
    for (const { ref } of all) agents.tell(ref, "view", topology);
  };
  tellAll();
  return {
    time,
    agents,
    all,
    /** A member goes without a word, and the others hear of it. */
    async lose(at: number) {
      const [gone] = all.splice(at, 1) as [AgentProcess];
      gone.end("shutdown");
      topology = without(topology, gone.ref.id);
      tellAll();
      await time.advance(1000);
    },
  };
}
const heardBy = ({ state }: AgentProcess): readonly unknown[] => (state as Node).heard;

describe("a topology", () => {
  it("TP1: edges are mutual, everybody reaches everybody, and the order of the members does not matter", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...KINDS),
        fc.uniqueArray(fc.nat(1000), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        (kind, ids, fanout) => {
          const topology = createTopology(kind, ids.map(idOf), { fanout });
          expect(createTopology(kind, ids.map(idOf).toReversed(), { fanout })).toEqual(topology);
          expect(reached(topology)).toBe(ids.length);
          for (const member of topology.members)
            for (const other of neighbours(topology, member)) {
              expect(other).not.toBe(member);
              expect(neighbours(topology, other)).toContain(member);
            }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("has the edges that its name says", () => {
    expect(neighbours(of("mesh", 4), idOf(2))).toEqual([idOf(0), idOf(1), idOf(3)]);
    expect(neighbours(of("ring", 5), idOf(0))).toEqual([idOf(1), idOf(4)]);
    expect(neighbours(of("star", 4), idOf(3))).toEqual([idOf(0)]);
    expect(neighbours(of("star", 4), idOf(0))).toHaveLength(3);
    expect(neighbours(of("tree", 7), idOf(1))).toEqual([idOf(0), idOf(3), idOf(4)]);
  });

  it("ways go along edges and are the shortest", () => {
    for (const kind of KINDS) {
      const topology = of(kind, 12);
      for (const from of topology.members)
        for (const to of topology.members) {
          const way = route(topology, from, to);
          expect([way[0], way.at(-1)]).toEqual([from, to]);
          for (let at = 1; at < way.length; at++)
            expect(neighbours(topology, way[at - 1] as string)).toContain(way[at]);
          expect(way.length - 1).toBeLessThanOrEqual({ mesh: 1, ring: 6, star: 2, tree: 6 }[kind]);
        }
    }
  });

  it("TP3: the next version without any one member, and with one more, holds together again", () => {
    for (const kind of KINDS)
      for (let gone = 0; gone < 9; gone++) {
        const topology = without(of(kind, 9), idOf(gone));
        expect([topology.version, topology.members.length, reached(topology)]).toEqual([2, 8, 8]);
        const more = withMember(topology, idOf(99));
        expect([more.version, reached(more)]).toEqual([3, 9]);
        expect(withMember(more, idOf(99))).toBe(more);
        expect(without(more, idOf(gone))).toBe(more);
      }
  });

  it("refuses shapes, members and fan-outs that are none", () => {
    expect(codeOf(() => createTopology("cube" as "mesh", []))).toBe("orchestration.bad-option");
    expect(codeOf(() => createTopology("tree", [], { fanout: 0 }))).toBe("orchestration.bad-option");
    expect(codeOf(() => createTopology("ring", [""]))).toBe("orchestration.bad-option");
    expect(
      codeOf(() =>
        createTopology(
          "ring",
          Array.from({ length: 10_001 }, (_, n) => `${n}`),
        ),
      ),
    ).toBe("orchestration.bad-option");
    expect(codeOf(() => neighbours(of("ring", 3), "stranger"))).toBe("orchestration.unknown-member");
    expect(codeOf(() => route(of("ring", 3), idOf(0), "stranger"))).toBe("orchestration.unknown-member");
    expect(neighbours(of("ring", 1), idOf(0))).toEqual([]);
  });
});

describe("a message along the edges", () => {
  it.each(KINDS)("TP2: of a %s reaches every member once, from every origin", async (kind) => {
    const { time, agents, all } = network(kind, 13);
    for (const [n, { ref }] of all.entries()) agents.tell(ref, "say", n);
    await time.advance(60_000);
    for (const [n, one] of all.entries())
      expect(heardBy(one).toSorted()).toEqual(
        all
          .map((_, other) => other)
          .filter((other) => other !== n)
          .toSorted(),
      );
  });

  it.each(KINDS)(
    "TP3: of a %s goes round again after the root, a leaf and one in the middle went, one after another",
    async (kind) => {
      const { time, agents, all, lose } = network(kind, 15);
      for (const at of [0, 13, 5]) {
        await lose(at);
        const [origin, ...others] = all as [AgentProcess, ...AgentProcess[]];
        agents.tell(origin.ref, "say", `after ${at}`);
        await time.advance(60_000);
        for (const one of others)
          expect(heardBy(one).filter((text) => text === `after ${at}`)).toHaveLength(1);
      }
    },
  );

  it("costs n - 1 messages in a star and a tree, and at most two more than members in a ring", async () => {
    for (const [kind, most] of [
      ["star", 12],
      ["tree", 12],
      ["ring", 14],
    ] as const) {
      const { time, agents, all } = network(kind, 13);
      await time.advance(1);
      const before = agents.sent;
      agents.tell((all[4] as AgentProcess).ref, "say", "x");
      await time.advance(60_000);
      expect(agents.sent - before).toBeLessThanOrEqual(most);
      expect(agents.sent - before).toBeGreaterThanOrEqual(12);
    }
  });

  it("that is none is taken up by nobody, and ends nobody", async () => {
    const { time, agents, all } = network("ring", 4);
    const [one] = all as [AgentProcess];
    const whole = { origin: idOf(7), number: 1, hops: 1, version: 1, payload: "x" };
    for (const rubbish of [
      null,
      7,
      "text",
      {},
      { ...whole, hops: "far" },
      { ...whole, origin: "me" },
      { ...whole, number: 0 },
    ])
      agents.tell(one.ref, "news", rubbish);
    await time.advance(1000);
    expect(all.map(heardBy)).toEqual([[], [], [], []]);
    expect(one.lifecycle).toBe("running");
  });
});
