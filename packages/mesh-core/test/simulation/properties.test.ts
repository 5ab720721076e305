/**
 * The properties M1 to M9 of membership, over seeds of every scenario. A failure prints the command that repeats it. Some seeds here, thousands
 * in the long tier; how many is printed.
 */
import { MACHINE_SCENARIOS } from "@glia-os/sim";
import { describe, expect, it } from "vitest";
import { SOAK, simulateMembers, violations } from "./members.ts";

const SEEDS = SOAK ? 400 : 4;
const NODES = 16;

describe("membership on simulated machines", () => {
  for (const scenario of Object.keys(MACHINE_SCENARIOS))
    it(`M1 to M9 hold in the scenario ${scenario}`, { timeout: SOAK ? 3_600_000 : 60_000 }, () => {
      expect(violations(scenario, NODES, SEEDS)).toEqual([]);
      console.log(`membership, ${scenario}: ${SEEDS} seeds of ${NODES} members hold`);
    });

  it("every scenario gives the same trace twice", () => {
    for (const scenario of Object.keys(MACHINE_SCENARIOS)) {
      const hash = (): string =>
        simulateMembers({ scenario, nodes: 8, seed: 77, durationMs: 90_000 }).run.traceHash;
      expect(hash(), scenario).toBe(hash());
    }
  });

  it("M6: halves of up to 200 members are whole again within a minute of the cut's end", {
    timeout: 600_000,
  }, () => {
    const seeds = SOAK ? 50 : 1;
    for (let seed = 1; seed <= seeds; seed++) {
      const options = { scenario: "partition", nodes: SOAK ? 200 : 64, seed, durationMs: 152_000 };
      const { run } = simulateMembers({ ...options, bounds: { convergeMs: 60_000 }, checkEveryMs: 151_000 });
      expect(run.violation?.what, `seed ${seed}`).toBe(undefined);
    }
  });

  it("M2, M3: a silent crash is found by all within the longest suspicion, and nobody else is accused to death", () => {
    for (let seed = 1; seed <= (SOAK ? 200 : 5); seed++) {
      const { run, checker } = simulateMembers({
        scenario: "crash",
        nodes: 24,
        seed,
        bounds: { convergeMs: 45_000 },
      });
      expect([run.violation?.what, checker.falseViews], `seed ${seed}`).toEqual([undefined, 0]);
    }
  });

  it("M7: a deaf machine makes nobody healthy declare a healthy one dead, and accuses itself into patience", () => {
    for (let seed = 1; seed <= (SOAK ? 100 : 3); seed++) {
      const { run, checker } = simulateMembers({ scenario: "deaf", nodes: 24, seed });
      expect([run.violation?.what, checker.healthyDeaths], `seed ${seed}`).toEqual([undefined, 0]);
    }
  });

  it("M8: at rest a member sends a few messages per second, however many there are", () => {
    const rates = [8, 32, 96].map((nodes) => {
      const { run, checker } = simulateMembers({ scenario: "calm", nodes, seed: 4, checkEveryMs: 10_000 });
      expect(run.violation).toBe(undefined);
      return checker.idlePerSecond;
    });
    for (const rate of rates) expect(rate).toBeGreaterThan(1);
    for (const rate of rates) expect(rate).toBeLessThan(6);
  });

  it("gray failures: of 16 machines in 128 that run for 64 ms in 16 s, no more than 15 healthy views are wrong", {
    timeout: 600_000,
  }, () => {
    for (let seed = 1; seed <= (SOAK ? 50 : 1); seed++) {
      const { run, checker } = simulateMembers({
        scenario: "gray",
        nodes: 128,
        seed,
        checkEveryMs: 5000,
        durationMs: 150_000,
      });
      expect(run.violation?.what, `seed ${seed}`).toBe(undefined);
      expect(checker.falseViews, `seed ${seed}`).toBeLessThanOrEqual(15);
    }
  });
});

describe("the checker", () => {
  it("names what does not hold: a crash that nobody has noticed yet is M2, a cut that goes on is M1", () => {
    const early = simulateMembers({ scenario: "crash", nodes: 8, seed: 1, bounds: { convergeMs: 500 } }).run
      .violation;
    expect(early?.what).toMatch(/^M[12]: 500 ms after the last fault/);
    const cut = simulateMembers({
      nodes: 8,
      seed: 1,
      durationMs: 120_000,
      network: { loss: 1 },
      bounds: { convergeMs: 60_000 },
    }).run.violation;
    expect(cut?.what).toMatch(/^M1: .* does not know|^M1: .* sees as/);
  });

  it("M8 is named when members talk too much", () => {
    const { run } = simulateMembers({
      scenario: "calm",
      nodes: 8,
      seed: 1,
      bounds: { idlePerSecondMax: 0.5 },
    });
    expect(run.violation?.what).toMatch(/^M8/);
  });
});
