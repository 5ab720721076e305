import { expect, test } from "vitest";
import { componentsOf } from "../src/health/component-health.ts";
import type { NodeStatus } from "../src/node-views.ts";

const well = { quorum: "whole", healthScore: 0, agentsStalled: false };
const status = (more: object, health: object = {}): NodeStatus =>
  ({ members: [], wire: {}, health: { ...well, ...health }, ...more }) as never;

test("CH1: each part of a node has a state of its own, with why it is not well, and a part that is not there has none", () => {
  expect(componentsOf(status({}))).toEqual({
    mesh: { state: "ok" },
    wire: { state: "ok" },
    agents: { state: "ok" },
  });
  const anchor = (state: string): object => ({ members: [{ name: "hub", anchor: true, state }] });
  const cases: readonly [NodeStatus, string, string, RegExp][] = [
    [status({}, { quorum: "lost" }), "mesh", "down", /no majority/],
    [status({}, { quorum: "partition" }), "mesh", "degraded", /out of reach/],
    [status({}, { healthScore: 3 }), "mesh", "degraded", /3 of 7/],
    [status({}, { agentsStalled: true }), "agents", "down", /stands still/],
    [status(anchor("suspect")), "anchor", "degraded", /hub does not answer/],
    [status(anchor("dead")), "anchor", "down", /hub is dead/],
    [status({ wire: { whyNoQuic: "no addon" } }), "wire", "degraded", /no addon/],
    [status({ jobs: { waiting: 16, slots: 2 } }), "jobs", "degraded", /16 jobs wait for 2 places/],
  ];
  for (const [given, part, state, why] of cases) {
    const found = componentsOf(given)[part];
    expect([part, found?.state]).toEqual([part, state]);
    expect(found?.why).toMatch(why);
  }
  expect(componentsOf(status({ jobs: { waiting: 15, slots: 2 } }))["jobs"]).toEqual({ state: "ok" });
});
