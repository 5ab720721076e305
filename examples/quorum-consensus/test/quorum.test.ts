import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SCENARIOS, type Scenario, TIMEOUT_MS } from "../scenarios.ts";
import { survey, surveyTwice } from "../survey.ts";

const seeds = process.env["GLIA_SOAK"] === "1" ? 1000 : 10;

describe("ten voters", () => {
  it.each(
    SCENARIOS.map((scenario) => [`${scenario.name}, ${String(scenario.threshold)}`, scenario] as const),
  )("%s: ends as it must, for every seed, and never with an untrue answer", async (_name, scenario) => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { result, made, tookMs } = await survey(scenario, seed);
      expect(result.outcome, `seed ${seed}`).toBe(scenario.expected);
      expect(result.answer, `seed ${seed}`).toBe(scenario.expected === "reached" ? true : undefined);
      expect(tookMs).toBeLessThanOrEqual(TIMEOUT_MS);
      for (const { voter } of result.equivocations) expect(made.get(voter)).toBe("two-faced");
      const heard = new Set(
        [...result.votes, ...result.equivocations, ...result.abstentions].map(({ voter }) => voter),
      );
      expect(heard.size + result.silent.length).toBe(10);
    }
    console.log(`${scenario.name}, ${String(scenario.threshold)}: ${seeds} seeds`);
  });

  it("no seven of them agree on what is untrue while three or fewer are faulty, in whatever way", async () => {
    const ways = ["wrong", "silent", "crashing", "two-faced"] as const;
    for (const [n, way] of ways.entries())
      for (const other of ways) {
        const faulty = way === other ? { [way]: 3 } : { [way]: 2, [other]: 1 };
        const scenario: Scenario = {
          name: "",
          faulty,
          threshold: "super-majority",
          asks: 2,
          expected: "reached",
        };
        expect((await survey(scenario, 100 + n)).result.answer).toBe(true);
      }
  });

  it("one that tells two surveys different things is found by comparing them, and nobody else is", async () => {
    const scenario: Scenario = {
      name: "",
      faulty: { "two-faced": 2 },
      threshold: "unanimous",
      expected: "impossible",
    };
    for (let seed = 1; seed <= seeds; seed++) {
      const { surveys, found } = await surveyTwice(scenario, seed);
      for (const { voter } of found) expect(surveys[0]?.made.get(voter)).toBe("two-faced");
    }
    const all: Scenario = { ...scenario, threshold: { votes: 9 } };
    expect((await surveyTwice(all, 1)).found.length).toBeGreaterThan(0);
  });

  it("the same seed gives the same votes and times", async () => {
    const [scenario] = SCENARIOS as [Scenario];
    const [one, again, other] = [
      await survey(scenario, 7),
      await survey(scenario, 7),
      await survey(scenario, 8),
    ];
    expect(again.tookMs).toBe(one.tookMs);
    expect(again.result).toEqual(one.result);
    expect(other.tookMs).not.toBe(one.tookMs);
  });
});

describe("the program", () => {
  const run = (...args: readonly string[]) =>
    execFileSync(
      process.execPath,
      ["--conditions=@glia-os/source", "--no-warnings", join(import.meta.dirname, "../main.ts"), ...args],
      { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
    );

  it("prints the table, or JSON, with the seed", () => {
    const text = run("--seed", "3", "--seeds", "1");
    expect(text).toContain("seed 3");
    expect(text).toMatch(/four are wrong +super-majority +7 +impossible/);
    expect(text).toContain(
      `${SCENARIOS.length} of ${SCENARIOS.length} ended as expected, 0 reached an untrue answer`,
    );
    const { lines, counts } = JSON.parse(run("--seeds", "0", "--json"));
    expect(lines).toHaveLength(SCENARIOS.length);
    expect(counts).toEqual([]);
  });

  it("says how it is used when it is used wrongly", () => {
    for (const args of [["--seed", "x"], ["--seeds", "-1"], ["--what"], ["extra"]])
      expect(() => run(...args)).toThrow(/usage: node main\.ts/);
  });
});
