import { describe, expect, it } from "vitest";
import { measureRows, rotated } from "../src/measure.ts";
import type { Contestant, RowDefinition } from "../src/suite.ts";

const effort = { rounds: 6, sampleMs: 0.5 };
const silent = (): void => undefined;

function row(over: Partial<RowDefinition>): RowDefinition {
  const glia = (): Contestant => ({ value: () => 1 });
  return { id: "row", what: "w", unit: "bytes", better: "lower", excludes: "e", glia, peers: {}, ...over };
}

describe("measuring", () => {
  it("B1: every contestant runs once in each round, and each of them is first equally often", async () => {
    const order: string[] = [];
    const named = (name: string) => () => ({ value: () => order.push(name) });
    const peers = { p: named("p"), q: named("q") };
    await measureRows([row({ glia: named("glia"), peers })], effort, silent);
    expect(order.join(" ")).toBe("glia p q p q glia q glia p glia p q p q glia q glia p");
  });

  it("a peer that this machine does not have is listed, and its target is not judged", async () => {
    const peers = { here: () => ({ value: () => 3 }), gone: () => undefined };
    const target = { ratio: { here: 2, gone: 2 } };
    const measured = await measureRows([row({ peers, target })], effort, silent);
    expect(measured.missing).toEqual(["gone"]);
    expect(measured.rows[0]).toMatchObject({ peers: { here: 3 }, ratios: { here: 3 }, met: null });
  });

  it("figures are medians of the rounds and met follows from them", async () => {
    let turn = 0;
    const glia = (): Contestant => ({ value: () => [5, 1, 4, 2, 3, 3][turn++]! });
    const measured = await measureRows([row({ glia, target: { max: 3 } })], effort, silent);
    expect(measured.rows[0]).toMatchObject({ samples: [5, 1, 4, 2, 3, 3], glia: 3, met: true });
  });

  it("a timed contestant is repeated until a sample is long enough, and the time is divided", async () => {
    let calls = 0;
    const most = { times: 0 };
    const run = (times: number): void => {
      calls += 1;
      most.times = Math.max(most.times, times);
      for (const start = process.hrtime.bigint(); process.hrtime.bigint() - start < BigInt(times) * 1_000n; );
    };
    const measured = await measureRows([row({ unit: "us", glia: () => ({ run }) })], effort, silent);
    expect(most.times).toBeGreaterThan(1);
    expect(calls).toBeGreaterThan(effort.rounds);
    expect(measured.rows[0]!.glia).toBeGreaterThanOrEqual(1);
  });

  it("every contestant is closed, also when one of them fails", async () => {
    const closed: string[] = [];
    const close = (name: string) => () => void closed.push(name);
    const glia = (): Contestant => ({ value: () => 1, close: close("glia") });
    const failing = (): Contestant => ({
      value: () => {
        throw new RangeError("broken peer");
      },
      close: close("peer"),
    });
    await expect(measureRows([row({ glia, peers: { failing } })], effort, silent)).rejects.toThrow(
      "broken peer",
    );
    expect(closed).toEqual(["glia", "peer"]);
  });

  it("the calibration rows are measured in every run and are above zero", async () => {
    const { calibration } = await measureRows([row({})], effort, silent);
    expect(Object.keys(calibration)).toEqual(["generatorStepNs", "memcpyMiBNs", "fdatasyncUs"]);
    expect(Object.values(calibration).every((value) => value > 0)).toBe(true);
  });

  it("a contestant without run in a unit that is not of time is refused", async () => {
    await expect(measureRows([row({ glia: () => ({ run: silent }) })], effort, silent)).rejects.toThrow(
      "unit of time",
    );
  });
});

it("a rotation keeps every item", () => {
  expect([0, 1, 2, 3].map((round) => rotated(["a", "b", "c"], round).join(""))).toEqual([
    "abc",
    "bca",
    "cab",
    "abc",
  ]);
});
