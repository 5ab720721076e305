/**
 * How fast meshes are simulated, and what the failure detector does there: false alarms under gray failures, and how long a mesh takes to be whole
 * after a cut. All on virtual time but the first row; seeds are fixed, so those rows are the same on every machine.
 */
import { type MembershipParameters, membershipParameters } from "@glia-os/mesh-core";
import { membershipSimulation, quantile } from "@glia-os/mesh-core/testing";
import { SIMULATED_DIGESTS, simulate, simulatedSigner } from "@glia-os/sim";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const UNBOUNDED = { healthyDeathsMax: Number.MAX_SAFE_INTEGER, falseViewsMax: Number.MAX_SAFE_INTEGER };
const MINUTE_MS = 60_000;

/** SWIM without Lifeguard: no local health, no longer suspicion for those whom few accuse. */
const PLAIN: MembershipParameters = { ...membershipParameters("lan"), awarenessMax: 1, suspicionMaxMult: 1 };

function members(machines: number, parameters: MembershipParameters | "lan" = "lan") {
  return membershipSimulation({
    machines,
    digests: SIMULATED_DIGESTS,
    signerOf: simulatedSigner,
    parameters,
    bounds: UNBOUNDED,
  });
}

/** Virtual time over real time of the ten minutes after the first, in which the members find each other. */
function speed(nodes: number): Contestant {
  return {
    value: () => {
      const { boot, digest } = members(nodes);
      let startMs = 0;
      const check = (): undefined => {
        if (startMs === 0) startMs = performance.now();
      };
      simulate({ seed: 1, nodes, boot, digest, durationMs: 11 * MINUTE_MS, check, checkEveryMs: MINUTE_MS });
      return (10 * MINUTE_MS) / (performance.now() - startMs);
    },
  };
}

/** Views of healthy members, held by healthy ones, that were wrong in a run; one figure per seed, computed once. */
function falseAlarms(
  scenario: string,
  seeds: number,
  parameters: MembershipParameters | "lan",
): () => readonly number[] {
  let known: readonly number[] | undefined;
  return () => {
    known ??= Array.from({ length: seeds }, (_, seed) => {
      const nodes = 128;
      const { boot, check, checker } = members(nodes, parameters);
      simulate({ seed: seed + 1, nodes, scenario, boot, check, checkEveryMs: 30_000, durationMs: 150_000 });
      return checker.falseViews;
    });
    return known;
  };
}

/** Rows of their own for the detector without Lifeguard: where ours counts 0 there is no ratio. */
function grayRows(id: string, scenario: string, how: string): RowDefinition[] {
  const [ours, plain] = [falseAlarms(scenario, 50, "lan"), falseAlarms(scenario, 10, PLAIN)];
  const what = `128 members of which 16 ${how}, again and again for two minutes: how often a healthy one believed another healthy one dead`;
  const row = (name: string, which: string, figure: () => number): Omit<RowDefinition, "target"> => ({
    id: `${id}-${name}`,
    what: `${what}; ${which}`,
    unit: "views",
    better: "lower",
    excludes: "views of and by the members that stand still",
    glia: () => ({ value: figure }),
    peers: {},
  });
  const middle = (figures: readonly number[]): number => quantile(figures, 0.5) ?? 0;
  return [
    { ...row("median", "median of 50 seeds", () => middle(ours())), target: { max: 3 } },
    { ...row("max", "most of 50 seeds", () => Math.max(...ours())), target: { max: 15 } },
    row("median-plain", "the detector without Lifeguard, median of 10 seeds", () => middle(plain())),
  ];
}

/** From the end of a cut to the moment when all members of both halves see all others alive, in seconds. */
function healSeconds(nodes: number, seed: number): number {
  const { boot } = members(nodes);
  let healedMs = Number.POSITIVE_INFINITY;
  simulate({
    seed,
    nodes,
    boot,
    faults: [
      {
        kind: "partition",
        atMs: 30_000,
        forMs: MINUTE_MS,
        groups: [Array.from({ length: nodes >> 1 }, (_, i) => i)],
      },
    ],
    durationMs: 210_000,
    check: ({ nowMs, machines, calm }) => {
      if (nowMs <= 90_000 || !calm || healedMs !== Number.POSITIVE_INFINITY) return undefined;
      const whole = machines.every(({ process }) => {
        const views = process?.members() ?? [];
        return views.length === nodes && views.every(({ state }) => state === "alive");
      });
      if (whole) healedMs = nowMs;
      return whole ? "healed" : undefined;
    },
  });
  return (healedMs - 90_000) / 1000;
}

function healed(nodes: number): Contestant {
  let known: number | undefined;
  const all = (): number =>
    quantile(
      Array.from({ length: 30 }, (_, seed) => healSeconds(nodes, seed + 1)),
      0.99,
    ) ?? 0;
  return { value: () => (known ??= all()) };
}

export const suite: Suite = {
  title: "simulated meshes",
  rows: [
    {
      id: "speed-100",
      what: "100 members at rest, profile lan: virtual time over real time",
      unit: "x",
      better: "higher",
      excludes: "the first minute, in which they find each other; the wire's encoding and real signatures",
      target: { min: 1000 },
      glia: () => speed(100),
      peers: {},
    },
    ...grayRows("gray", "gray", "stand still for 16 s and run for 64 ms"),
    ...grayRows("gray-io", "gray-io", "read their sockets for 64 ms in every 16 s while their timers run"),
    {
      id: "heal-200",
      what: "200 members cut in halves for a minute: seconds from the end of the cut until all see all alive; 99th percentile of 30 seeds",
      unit: "s",
      better: "lower",
      excludes: "dialling: sessions are not simulated here",
      target: { max: 60 },
      glia: () => healed(200),
      peers: {},
    },
  ],
};
