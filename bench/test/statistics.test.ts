import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { advantage, median, pairedRatio, rounded } from "../src/statistics.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
const positive = fc.double({ noNaN: true, min: 1e-6, max: 1e9 });

describe("the median", () => {
  it("is the middle value, or the mean of the two middle ones", () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it("orders numbers as numbers, not as text", () => {
    expect(median([10, 9, 100])).toBe(10);
  });

  it("has at least half of the values on each side, in whatever order they come, and leaves them alone", () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 40 }), (values) => {
        const before = [...values];
        const middle = median(values);
        expect(values).toEqual(before);
        expect(median([...values].reverse())).toBe(middle);
        expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length);
        expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length);
      }),
    );
  });

  it.each([[[]], [[1, Number.NaN]], [[Number.POSITIVE_INFINITY]]])("of %j is refused", (values) => {
    expect(() => median(values)).toThrow(RangeError);
  });
});

describe("the paired ratio", () => {
  it("is above 1 when ours is better, whichever direction is good", () => {
    expect(advantage(100, 200, "lower")).toBe(2);
    expect(advantage(200, 100, "higher")).toBe(2);
    expect(advantage(200, 100, "lower")).toBe(0.5);
  });

  it("pairs rounds: a machine that gets slower by any factor per round does not change it", () => {
    const rounds = fc.array(fc.tuple(positive, fc.constantFrom(1, 2, 4, 8, 1024)), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(rounds, (slowness) => {
        const ours = slowness.map(([base, factor]) => base * factor);
        const peer = ours.map((value) => value * 4);
        expect(pairedRatio(ours, peer, "lower")).toBeCloseTo(4, 9);
        expect(pairedRatio(ours, peer, "higher")).toBeCloseTo(0.25, 9);
      }),
    );
  });

  it("is the median of the rounds' ratios, not the ratio of the medians", () => {
    expect(pairedRatio([1, 2, 9], [9, 2, 1], "lower")).toBe(1);
    expect(pairedRatio([1, 10, 100], [2, 100, 50], "lower")).toBe(2);
  });

  it("of different numbers of rounds is refused", () => {
    expect(() => pairedRatio([1], [1, 2], "lower")).toThrow(RangeError);
  });
});

it("figures keep four significant digits", () => {
  expect([rounded(123_456), rounded(1.23456), rounded(0), rounded(0.000123456)]).toEqual([
    123_500, 1.235, 0, 0.0001235,
  ]);
});
