/** The latency policy (LP1 to LP4) and the counts it decides by (CC1). */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CALLER_SHARE,
  CALLERS_MAX,
  CallerCounts,
  LATENCY_LOOKS,
  LATENCY_THRESHOLD_MS,
  LatencyPolicy,
  type LatencyWish,
  LOOK_MESSAGES,
  nearer,
  RESIDENCE_MS,
} from "../../src/index.ts";

const runs = process.env["GLIA_SOAK"] === "1" ? 5000 : 200;
const id = (n: number): NodeId => n.toString(16).padStart(64, "0") as NodeId;
const agent = (n: number): AgentId => n.toString(16).padStart(32, "0") as AgentId;
const [SELF, FAR, NEAR] = [id(1), id(2), id(3)];
const A = agent(1);
const LOOK_MS = 10_000;

const counts = (...pairs: readonly (readonly [NodeId, number])[]) => new Map([[A, new Map(pairs)]]);
const rtts = (node: NodeId): number | undefined => ({ [FAR]: 80, [NEAR]: 2 })[node];

/** Looks one after another, from when the agent was seen first. */
function looks(
  policy: LatencyPolicy,
  found: readonly ReadonlyMap<AgentId, ReadonlyMap<NodeId, number>>[],
  startMs = 0,
): (readonly LatencyWish[])[] {
  return found.map((callers, i) =>
    policy.look({ nowMs: startMs + i * LOOK_MS, here: [A], callers, rttMs: rtts }),
  );
}

describe("wishes", () => {
  test("LP1, LP2, LP3: an agent that a far node asks goes towards it, after its residence and three looks", () => {
    const wishes = looks(new LatencyPolicy(SELF), new Array(9).fill(counts([FAR, 100])));
    const first = wishes.findIndex((found) => found.length > 0);
    expect(first).toBe(RESIDENCE_MS / LOOK_MS);
    expect(wishes[first]).toEqual([{ agent: A, towards: FAR, rttMs: 80 }]);
    const soon = looks(new LatencyPolicy(SELF, { residenceMs: 0 }), new Array(3).fill(counts([FAR, 100])));
    expect(soon.map(({ length }) => length)).toEqual([0, 0, 1]);
  });

  test.each([
    ["too few messages", counts([FAR, LOOK_MESSAGES - 1])],
    ["a share that is too small", counts([FAR, 55], [SELF, 45])],
    ["a near caller", counts([NEAR, 100])],
    ["its own node", counts([SELF, 100])],
    ["a caller whose distance is not known", counts([id(9), 100])],
    ["nobody", new Map()],
  ])("LP1: not for %s, and what was seen before does not count then", (_why, between) => {
    const often = counts([FAR, 100]);
    const found = looks(new LatencyPolicy(SELF, { residenceMs: 0 }), [often, often, between, often, often]);
    expect(found.flat()).toEqual([]);
  });

  test("an agent that could not be moved is tried again after three more looks", () => {
    const policy = new LatencyPolicy(SELF, { residenceMs: 0 });
    const often = counts([FAR, 100]);
    expect(looks(policy, [often, often, often]).at(-1)).toHaveLength(1);
    policy.refused(A);
    expect(looks(policy, [often, often, often]).map(({ length }) => length)).toEqual([0, 0, 1]);
  });

  test("LP1 to LP3: whatever is counted, no wish breaks a rule", () => {
    const caller = fc.tuple(fc.constantFrom(SELF, FAR, NEAR), fc.nat(40));
    fc.assert(
      fc.property(fc.array(fc.array(caller, { maxLength: 3 }), { maxLength: 30, size: "max" }), (given) => {
        const found = given.map((pairs) => new Map([[A, new Map(pairs)]]));
        const wishes = looks(new LatencyPolicy(SELF), found);
        for (const [at, wished] of wishes.entries())
          for (const { towards, rttMs } of wished) {
            expect(at * LOOK_MS).toBeGreaterThanOrEqual(RESIDENCE_MS);
            expect(rttMs).toBeGreaterThanOrEqual(LATENCY_THRESHOLD_MS);
            for (const one of found.slice(at - LATENCY_LOOKS + 1, at + 1)) {
              const of = one.get(A) as ReadonlyMap<NodeId, number>;
              const all = [...of.values()].reduce((sum, many) => sum + many, 0);
              expect(of.get(towards) ?? 0).toBeGreaterThanOrEqual(all * CALLER_SHARE);
              expect(all).toBeGreaterThanOrEqual(LOOK_MESSAGES);
            }
          }
      }),
      { numRuns: runs },
    );
  });

  test("LP3: agents whose callers change as they please move at most once in a residence", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 20, maxLength: 200, size: "max" }), (remote) => {
        // Two nodes, 80 ms from each other; at each look the one or the other asks.
        const nodes = [SELF, FAR];
        const policies = nodes.map((node) => new LatencyPolicy(node));
        const moves: number[] = [];
        let at = 0;
        for (const [look, other] of remote.entries()) {
          const nowMs = look * LOOK_MS;
          const asks = new Map([[A, new Map([[nodes[other ? 1 : 0] as NodeId, 50]])]]);
          const wishes = policies.map((policy, here) =>
            policy.look({ nowMs, here: here === at ? [A] : [], callers: asks, rttMs: () => 80 }),
          );
          if ((wishes[at] as readonly LatencyWish[]).length === 0) continue;
          moves.push(nowMs);
          at = 1 - at;
        }
        for (const [i, move] of moves.entries())
          if (i > 0) expect(move - (moves[i - 1] as number)).toBeGreaterThanOrEqual(RESIDENCE_MS);
      }),
      { numRuns: runs },
    );
  });
});

test("LP4: the caller's own node first, then those nearest to it, and none that is not much nearer or takes none", () => {
  const wish = { towards: FAR, rttMs: 80 };
  const at = (n: number, rttMs: number | undefined, takes = true) => ({ node: id(n), takes, rttMs });
  expect(nearer([at(5, 40), at(4, 3), at(2, undefined), at(6, 41), at(7, undefined)], wish)).toEqual([
    FAR,
    id(4),
    id(5),
  ]);
  expect(nearer([at(2, undefined, false), at(4, 3, false), at(5, 10)], wish)).toEqual([id(5)]);
  expect(nearer([], wish)).toEqual([]);
});

describe("counts", () => {
  test("are of each agent and node, and begin anew when they were taken", () => {
    const counted = new CallerCounts();
    for (let i = 0; i < 3; i++) counted.note(A, FAR);
    counted.note(A, SELF);
    counted.note(agent(2), FAR);
    expect([...counted.take()].map(([one, of]) => [one, Object.fromEntries(of)])).toEqual([
      [A, { [FAR]: 3, [SELF]: 1 }],
      [agent(2), { [FAR]: 1 }],
    ]);
    expect(counted.take().size).toBe(0);
  });

  test("CC1: at most 32 nodes of an agent, and the one that sends most is among them", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { minLength: 100, maxLength: 400 }), (others) => {
        const counted = new CallerCounts();
        for (const other of others) {
          counted.note(A, FAR);
          counted.note(A, id(100 + other));
        }
        const of = counted.take().get(A) as ReadonlyMap<NodeId, number>;
        expect(of.size).toBeLessThanOrEqual(CALLERS_MAX);
        expect(of.get(FAR)).toBeGreaterThanOrEqual(others.length);
      }),
      { numRuns: 50 },
    );
  });
});
