import { describe, expect, it } from "vitest";
import { type Judged, met, missingPeers, shortfalls } from "../src/met.ts";

const row = (over: Partial<Judged>): Judged => ({
  glia: 100,
  unit: "ns",
  ratios: { beam: 4 },
  target: {},
  ...over,
});

describe("a target", () => {
  it.each<[string, Judged["target"], boolean | null]>([
    ["max is reached at equality", { max: 100 }, true],
    ["max fails above it", { max: 99 }, false],
    ["min is reached at equality", { min: 100 }, true],
    ["min fails below it", { min: 101 }, false],
    ["ratio is reached at equality", { ratio: { beam: 4 } }, true],
    ["ratio fails below it", { ratio: { beam: 4.001 } }, false],
    ["one failing condition fails all", { max: 100, ratio: { beam: 5 } }, false],
    ["a missing peer cannot be judged", { max: 100, ratio: { beam: 4, go: 1 } }, null],
    [
      "a missing peer cannot be judged, also when another condition fails",
      { max: 1, ratio: { go: 1 } },
      null,
    ],
    ["no condition cannot be judged", {}, null],
    ["an empty ratio is no condition", { ratio: {} }, null],
  ])("%s", (_title, target, expected) => {
    expect(met(row({ target }))).toBe(expected);
  });

  it("says each condition that fails, and which peers are missing", () => {
    const judged = row({ target: { max: 90, min: 110, ratio: { beam: 5, go: 2 } } });
    expect(shortfalls(judged)).toEqual([
      "100 ns is above 90 ns",
      "100 ns is below 110 ns",
      "4 times beam is below 5 times",
    ]);
    expect(missingPeers(judged)).toEqual(["go"]);
  });
});
