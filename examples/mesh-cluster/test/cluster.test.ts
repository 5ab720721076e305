import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { agrees, countHere, type Outcome } from "../main.ts";

const main = join(import.meta.dirname, "../main.ts");
const readme = join(import.meta.dirname, "../README.md");

function run(...args: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  return spawnSync(process.execPath, ["--conditions=@glia-os/source", "--no-warnings", main, ...args], {
    encoding: "utf8",
  });
}

describe("the cluster", () => {
  it("counts every word once, on three nodes one after the other, while one of them is killed", () => {
    const { status, stdout } = run(readme, "--json");
    const outcome = JSON.parse(stdout) as Outcome & { readonly ok: boolean };
    expect([status, outcome.ok]).toEqual([0, true]);
    expect(outcome.moves.map(({ from, to }) => `${from} ${to}`)).toEqual([
      "edge core",
      "core relay",
      "relay edge",
    ]);
    expect(outcome.agent).toEqual(countHere(readFileSync(readme, "utf8").split("\n")));
    expect(outcome.detectedMs).toBeGreaterThan(0);
  }, 180_000);

  it("a line too few, a word too many and another word are no agreement", () => {
    const expected = countHere(["one two", "two"]);
    expect(expected).toEqual({ lines: 2, words: 3, distinct: 2 });
    const rest = { expected, moves: [], detectedMs: 1, resent: 0 };
    expect(agrees({ agent: expected, ...rest })).toBe(true);
    for (const wrong of [{ lines: 1 }, { words: 4 }, { distinct: 3 }])
      expect(agrees({ agent: { ...expected, ...wrong }, ...rest })).toBe(false);
  });

  it("says how it is used when it is used wrongly", () => {
    for (const args of [["a", "b"], ["--what"]]) expect(run(...args).status).toBe(2);
  });
});
