import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { play, report } from "../main.ts";
import { SEED, syntheticPrices } from "../make-prices.ts";
import { parsePrices } from "../prices.ts";
import { LARGE_CENTS } from "../risk.ts";
import { totals } from "./independent.ts";

const text = readFileSync(join(import.meta.dirname, "../prices.csv"), "utf8");
const prices = parsePrices(text);

describe("the price file", () => {
  it("is labelled synthetic, and is what its script makes, byte for byte", () => {
    expect(text).toBe(syntheticPrices());
    expect(text).toMatch(/^# SYNTHETIC: /);
    expect(syntheticPrices(SEED + 1)).not.toBe(text);
  });

  it("is refused by line when it is no price file", () => {
    for (const [bad, why] of [
      ["0,AKO,abc", /line 1 is no price/],
      ["0,AKO,0", /line 1 is no price/],
      ["1,AKO,5\n0,AKO,5", /line 2 goes back in time/],
      ["1,AKO,5\n1,AKO,6", /line 2 has a second price/],
      ["<html>", /line 1 is no price/],
    ] as const)
      expect(() => parsePrices(bad)).toThrow(why);
    expect(parsePrices("")).toEqual([]);
  });
});

describe("the swarm", () => {
  it("ends with the cash, shares and worth that a loop without agents computes, whatever the number of analysts", async () => {
    const expected = totals(text);
    expect(expected.fills).toBeGreaterThan(40);
    expect(expected.votes).toBeGreaterThan(5);
    for (const analysts of [2, 5]) {
      const { book, worth, verdicts } = await play(prices, { analysts });
      expect({ cash: book.cents, shares: book.shares, worth, fills: book.fills.length }).toEqual({
        cash: expected.cash,
        shares: expected.shares,
        worth: expected.worth,
        fills: expected.fills,
      });
      expect(verdicts.filter(({ outcome }) => outcome === "refused")).toHaveLength(expected.refused);
      expect(verdicts.filter(({ committee }) => committee !== undefined)).toHaveLength(expected.votes);
    }
  });

  it("an analyst that leaves in the middle gives its symbols away, no other symbol moves, and no total changes", async () => {
    const stays = await play(prices, { analysts: 4 });
    const leaves = await play(prices, { analysts: 4, leaveAt: 200 });
    expect(leaves.book).toEqual(stays.book);
    expect(leaves.worth).toBe(stays.worth);
    expect(leaves.moved.toSorted()).toEqual(stays.watched[0]);
    for (const n of [1, 2, 3])
      expect(leaves.watched[n]?.filter((symbol) => !leaves.moved.includes(symbol))).toEqual(stays.watched[n]);
    expect(leaves.watched[0]).toBeUndefined();
  });

  it("asks the committee about large orders and no others, and goes by its majority although one member never answers", async () => {
    const { verdicts } = await play(prices, { analysts: 3 });
    for (const { order, committee, outcome } of verdicts) {
      const large = order.side === "buy" && order.shares * order.cents >= LARGE_CENTS;
      expect(committee !== undefined).toBe(large);
      if (committee === undefined) continue;
      expect(committee.for + committee.against + committee.silent).toBe(5);
      expect(outcome).toBe(committee.for >= 3 ? "executed" : "refused");
    }
    expect(new Set(verdicts.filter(({ committee }) => committee).map(({ outcome }) => outcome)).size).toBe(2);
  });

  it("plays no prices to a report of nothing", async () => {
    expect(report(await play([], { analysts: 2 }))).toMatch(/0 ticks[\s\S]*worth +100000\.00 of 100000\.00/);
  });
});

describe("the program", () => {
  const run = (...args: readonly string[]) =>
    execFileSync(
      process.execPath,
      ["--conditions=@glia-os/source", "--no-warnings", join(import.meta.dirname, "../main.ts"), ...args],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );

  it("prints a report, or JSON whose totals are those of the loop", () => {
    expect(run("--leave-at", "200")).toMatch(/^# SYNTHETIC: .*\n400 ticks of prices\norders +\d+: /);
    const { book, worth } = JSON.parse(run("--json"));
    expect([book.cents, worth]).toEqual([totals(text).cash, totals(text).worth]);
  });

  it("says how it is used when it is used wrongly, and names a file that cannot be read", () => {
    for (const args of [["--analysts", "1"], ["--leave-at", "-1"], ["x"], ["--what"]])
      expect(() => run(...args)).toThrow(/usage: node main\.ts/);
    expect(() => run("--prices", "nowhere.csv")).toThrow(/trading-swarm: .*nowhere\.csv/);
  });
});
