import { FrequencyGovernor, OPERATING_POINTS } from "@glia-os/rt";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";

const names = (governor: FrequencyGovernor, loads: readonly number[]): string[] =>
  loads.map((load) => governor.observe(load).name);

test("FG1: the point goes up from 80 percent load, down at 20, one per reading, and stays between", () => {
  expect(OPERATING_POINTS.map(({ megahertz }) => megahertz)).toEqual([48, 96, 168, 240, 480]);
  const governor = new FrequencyGovernor();
  expect(names(governor, [0.8, 0.79, 0.21, 1, 1, 0.5])).toEqual([
    "high",
    "high",
    "high",
    "maximum",
    "maximum",
    "maximum",
  ]);
  expect(names(governor, [0.2, 0, 0, 0, 0])).toEqual(["high", "balanced", "low", "minimum", "minimum"]);
});

test("FG2: each policy keeps to its bounds, and work at once follows the speed", () => {
  const performance = new FrequencyGovernor({ kind: "performance" });
  expect(names(performance, [0, 0])).toEqual(["maximum", "maximum"]);
  expect(performance.concurrency(10)).toBe(10);
  const save = new FrequencyGovernor({ kind: "power-save" });
  expect(names(save, [1, 1])).toEqual(["low", "low"]);
  expect([save.concurrency(10), save.concurrency(1)]).toEqual([2, 1]);
  const budget = new FrequencyGovernor({ kind: "budget", milliwatts: 149 });
  expect(names(budget, [1, 1])).toEqual(["balanced", "balanced"]);
});

test("budgets below every point, loads and counts out of range are refused", () => {
  for (const milliwatts of [9, -1, Number.NaN])
    expect(codeOf(() => new FrequencyGovernor({ kind: "budget", milliwatts }))).toBe("rt.bad-option");
  const governor = new FrequencyGovernor();
  for (const load of [-0.1, 1.1, Number.NaN])
    expect(codeOf(() => governor.observe(load))).toBe("rt.bad-reading");
  expect(codeOf(() => governor.concurrency(0))).toBe("rt.bad-option");
});
