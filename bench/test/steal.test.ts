import { describe, expect, it } from "vitest";
import { parseCpuTimes, readCpuTimes, stealPct } from "../src/steal.ts";

describe("steal", () => {
  it("is read from the first line of /proc/stat, without counting guest time twice", () => {
    const text = "cpu  10 20 30 40 5 6 7 8 900 900\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 12\n";
    expect(parseCpuTimes(text)).toEqual({ total: 126, steal: 8 });
  });

  it.each(["", "intr 5", "cpu", "cpu  1 2 3", "cpu  a b c d e f g h", "cpu0 1 2 3 4 5 6 7 8"])(
    "of %j is not known",
    (text) => {
      expect(parseCpuTimes(text)).toBeUndefined();
    },
  );

  it("is a share of the time between two readings", () => {
    const before = { total: 1_000, steal: 50 };
    expect(stealPct(before, { total: 1_200, steal: 70 })).toBe(10);
    expect(stealPct(before, { total: 1_300, steal: 51 })).toBe(0.33);
    expect(stealPct(before, before)).toBe(0);
    expect(stealPct(before, { total: 1_200, steal: 40 })).toBe(0);
    expect(stealPct(undefined, before)).toBeNull();
    expect(stealPct(before, undefined)).toBeNull();
  });

  it.runIf(process.platform === "linux")("of this machine can be read (needs Linux)", () => {
    expect(readCpuTimes()?.total).toBeGreaterThan(0);
    expect(readCpuTimes("/proc/none")).toBeUndefined();
  });
});
