/** Placement, budgets and wishes of policies (PL1, PL2, MB1, MP1, MP2, MP3). */
import type { NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MoveBudget,
  MovementPolicies,
  type PlacementCandidate,
  POLICIES,
  REBALANCE_GAP,
  REBALANCE_LOOKS,
  ranked,
} from "../../src/index.ts";

const id = (n: number): NodeId => n.toString(16).padStart(64, "0") as NodeId;
const candidate = (n: number, more: Partial<PlacementCandidate> = {}): PlacementCandidate => ({
  node: id(n),
  takes: true,
  cpuLoad: 0.2,
  memoryLoad: 0.2,
  hosting: 1,
  rttMs: 1,
  ...more,
});
const order = (...candidates: PlacementCandidate[]): number[] =>
  ranked(candidates).map(({ node }) => Number.parseInt(node, 16));

describe("placement", () => {
  test("prefers less load, then fewer agents, then nearness", () => {
    expect(order(candidate(1, { cpuLoad: 0.9 }), candidate(2))).toEqual([2, 1]);
    expect(order(candidate(1, { memoryLoad: 0.9 }), candidate(2))).toEqual([2, 1]);
    expect(order(candidate(1, { hosting: 9 }), candidate(2))).toEqual([2, 1]);
    expect(order(candidate(1, { rttMs: 80 }), candidate(2))).toEqual([2, 1]);
    expect(order(candidate(1, { cpuLoad: undefined }), candidate(2), candidate(3, { cpuLoad: 0.9 }))).toEqual(
      [2, 1, 3],
    );
  });

  test("PL1, PL2: never a node that takes none, and the same order however they are given", () => {
    const one = fc.record({
      node: fc.integer({ min: 1, max: 1000 }).map(id),
      takes: fc.boolean(),
      cpuLoad: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      memoryLoad: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
      hosting: fc.nat(50),
      rttMs: fc.option(fc.double({ min: 0, max: 500, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ node }) => node, maxLength: 12 }), (given) => {
        const first = ranked(given);
        expect(first.every(({ takes }) => takes)).toBe(true);
        expect(first.length).toBe(given.filter(({ takes }) => takes).length);
        expect(ranked([...given].reverse())).toEqual(first);
      }),
    );
  });
});

test("MB1: at most so many moves begin in any minute", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 5 }),
      fc.array(fc.nat(30_000), { maxLength: 60 }),
      (perMinute, waits) => {
        const budget = new MoveBudget(perMinute);
        const begun: number[] = [];
        let now = 0;
        for (const wait of waits) {
          now += wait;
          if (budget.take(now)) begun.push(now);
        }
        for (const at of begun)
          expect(begun.filter((other) => other >= at && other - at < 60_000).length).toBeLessThanOrEqual(
            perMinute,
          );
      },
    ),
  );
});

describe("policies", () => {
  const look = (standing: readonly string[], hosting = 2, leastElsewhere: number | undefined = 0) => ({
    standing: new Set(standing),
    hosting,
    leastElsewhere,
  });

  test("MP1: a low battery and heat empty the node, load lightens it, and the wish says why", () => {
    const policies = new MovementPolicies(POLICIES);
    expect(policies.wish(look([]))).toBeUndefined();
    expect(policies.wish(look(["battery-low", "cpu-load"]))).toEqual({
      policy: "battery",
      why: "battery-low",
      moves: "all",
    });
    expect(policies.wish(look(["cpu-load", "hot"]))).toEqual({ policy: "thermal", why: "hot", moves: "all" });
    expect(policies.wish(look(["warm"]))).toEqual({ policy: "thermal", why: "warm", moves: "one" });
    for (const why of ["cpu-load", "memory-load", "queue-depth"])
      expect(policies.wish(look([why]))).toEqual({ policy: "load", why, moves: "one" });
    expect(policies.wish(look(["hot"], 0))).toBeUndefined();
  });

  test("MP2: a node that wants agents to leave takes none; a policy that is off wants nothing", () => {
    const policies = new MovementPolicies(["battery"]);
    expect(policies.takes(new Set(["battery-low"]))).toBe(false);
    expect(policies.takes(new Set(["hot"]))).toBe(true);
    policies.set("battery", false);
    expect(policies.takes(new Set(["battery-low"]))).toBe(true);
    expect(policies.wish(look(["battery-low"]))).toBeUndefined();
  });

  test("MP3: rebalancing waits until the difference lasted, and moves one at a time", () => {
    const policies = new MovementPolicies(["rebalance"]);
    const wishes = Array.from({ length: 2 * REBALANCE_LOOKS }, () =>
      policies.wish(look([], REBALANCE_GAP, 0)),
    );
    expect(wishes.map((wish) => wish?.moves)).toEqual([
      undefined,
      undefined,
      "one",
      undefined,
      undefined,
      "one",
    ]);
    for (let n = 0; n < 9; n++) expect(policies.wish(look([], REBALANCE_GAP - 1, 0))).toBeUndefined();
    expect(policies.wish(look([], 40, undefined))).toBeUndefined();
  });
});
