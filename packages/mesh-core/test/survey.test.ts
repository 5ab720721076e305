/** Quorum surveys, shards and topologies. */
import type { NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quorum, VOTERS_MAX } from "../src/balance/quorum.ts";
import { type TopologyKind, topology } from "../src/balance/topology.ts";
import { shard } from "../src/registry/shard.ts";
import { VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import { cheapSigner, digests } from "./overlay-nodes.ts";

const voters = Array.from({ length: 5 }, (_, n) => idOf(cheapSigner(n)));
const after = (time: VirtualTime, ms: number, value: string): Promise<string> =>
  new Promise((resolve) => time.schedule(ms, () => resolve(value)));

describe("a quorum", () => {
  it("QU2 and QU3: ends with the majority of those named, at the moment the third agrees", async () => {
    const time = new VirtualTime();
    const asked = quorum({
      voters,
      timers: time,
      timeoutMs: 1000,
      key: String,
      ask: (voter) => after(time, 10 * (1 + voters.indexOf(voter)), voter === voters[1] ? "no" : "yes"),
    });
    const result = await time.settle(asked);
    expect([result.answer, result.agreed, result.answered, time.monotonicMs()]).toEqual([
      "yes",
      [voters[0], voters[2], voters[3]],
      4,
      40,
    ]);
  });

  it("QU1: a voter named twice counts once", async () => {
    const time = new VirtualTime();
    const [a, b, c] = voters as [NodeId, NodeId, NodeId];
    const asked = quorum({
      voters: [a, a, a, b, c],
      timers: time,
      timeoutMs: 100,
      ask: (voter) => (voter === a ? Promise.resolve("yes") : new Promise<string>(() => undefined)),
    });
    await expect(time.settle(asked)).rejects.toMatchObject({
      code: "overlay.no-quorum",
      details: { answered: 1, needed: 2 },
    });
  });

  it("QU3: gives up at once when enough can agree no more, and at the deadline otherwise", async () => {
    const time = new VirtualTime();
    const split = quorum({
      voters,
      timers: time,
      timeoutMs: 9000,
      key: String,
      ask: async (voter) => String(voters.indexOf(voter)),
    });
    await expect(time.settle(split)).rejects.toMatchObject({ code: "overlay.no-quorum" });
    expect(time.monotonicMs()).toBe(0);
    const silent = quorum({
      voters,
      timers: time,
      timeoutMs: 9000,
      ask: () => new Promise<string>(() => undefined),
    });
    await expect(time.settle(silent)).rejects.toMatchObject({ code: "overlay.no-quorum" });
    expect(time.monotonicMs()).toBe(9000);
    const down = quorum({
      voters,
      timers: time,
      timeoutMs: 9000,
      ask: () => Promise.reject(new RangeError("down")),
    });
    await expect(time.settle(down)).rejects.toMatchObject({ code: "overlay.no-quorum" });
  });

  it("refuses what makes no sense", () => {
    const time = new VirtualTime();
    const ask = async (): Promise<string> => "yes";
    const many = Array.from({ length: VOTERS_MAX + 1 }, (_, n) => `${n}` as NodeId);
    for (const bad of [
      { voters: [] },
      { voters: many },
      { needed: 0 },
      { needed: 6 },
      { needed: 1.5 },
      { timeoutMs: 0 },
      { timeoutMs: 1e9 },
    ])
      expect(() => quorum({ voters, timers: time, timeoutMs: 10, ask, ...bad })).toThrow(
        expect.objectContaining({ code: "mesh.invalid-option" }),
      );
  });
});

describe("shards", () => {
  it("spread keys, agree everywhere, and a node that goes moves only its own", () => {
    const nodes = Array.from({ length: 20 }, (_, n) => idOf(cheapSigner(n)));
    const keys = Array.from({ length: 1000 }, (_, n) => `key ${n}`);
    const before = keys.map((key) => shard(digests, key, nodes)[0]);
    const after = keys.map((key) => shard(digests, key, [...nodes].reverse().slice(1))[0]);
    const gone = nodes.at(-1);
    for (const [n, node] of before.entries()) if (node !== gone) expect(after[n]).toBe(node);
    for (const node of nodes) {
      const share = before.filter((one) => one === node).length;
      expect([share > 20, share < 90]).toEqual([true, true]);
    }
    expect(shard(digests, "x", [])).toEqual([]);
    expect(new Set(shard(digests, "x", nodes, 3)).size).toBe(3);
  });
});

describe("topologies", () => {
  const kinds: TopologyKind[] = ["mesh", "ring", "star", "tree"];

  it("TO1 and TO2: for any number of nodes neighbourship is mutual, the graph connected, and the same from any order", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 40 }),
        fc.constantFrom(...kinds),
        fc.integer({ min: 1, max: 4 }),
        (ids, kind, fanout) => {
          const graph = topology(kind, ids, fanout);
          expect(topology(kind, [...ids].reverse(), fanout)).toEqual(graph);
          for (const [id, near] of graph) {
            expect(near).not.toContain(id);
            for (const other of near) expect(graph.get(other)).toContain(id);
          }
          const [first] = ids;
          if (first === undefined) return;
          const reached = new Set([first]);
          for (const id of reached) for (const other of graph.get(id) ?? []) reached.add(other);
          expect(reached.size).toBe(ids.length);
        },
      ),
    );
  });

  it("have the shape of their name", () => {
    const ids = ["a", "b", "c", "d", "e", "f", "g"];
    const degrees = (kind: TopologyKind): number[] =>
      [...topology(kind, ids).values()].map((near) => near.length);
    expect(degrees("mesh")).toEqual([6, 6, 6, 6, 6, 6, 6]);
    expect(degrees("ring")).toEqual([2, 2, 2, 2, 2, 2, 2]);
    expect(degrees("star")).toEqual([6, 1, 1, 1, 1, 1, 1]);
    expect(degrees("tree")).toEqual([2, 3, 3, 1, 1, 1, 1]);
    expect(topology("ring", ["a", "b"]).get("a")).toEqual(["b"]);
    expect(() => topology("tree", ids, 0)).toThrow(expect.objectContaining({ code: "mesh.invalid-option" }));
  });
});
