import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runField } from "../field.ts";
import { plot } from "../plot.ts";

const SEEDS = process.env["GLIA_SOAK"] === "1" ? 200 : 1;
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const run = (...args: string[]) =>
  spawnSync(process.execPath, ["--conditions=@glia-os/source", main, ...args], { encoding: "utf8" });

describe("the field of sensors", () => {
  it(`loses no reading: the agent leaves every node before its battery is empty (${SEEDS} seeds)`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const field = await runField({ seed });
      const { moves, taken, collected, wrong, diedHosting } = field;
      expect({ seed, collected, wrong, diedHosting }).toEqual({
        seed,
        collected: taken,
        wrong: 0,
        diedHosting: [],
      });
      expect(taken).toBeGreaterThan(500);
      expect(moves.map(({ from }) => from)).toEqual(["north", "east", "south", "west"]);
      for (const { percent } of moves) {
        expect(percent).toBeLessThan(20);
        expect(percent).toBeGreaterThan(10);
      }
      // The nodes themselves did die: there was something to leave.
      const off = field.tracks.filter(({ percent }) => percent.at(-1) === undefined);
      expect(off.length).toBe(4);
    }
    console.log(`${SEEDS} seeds`);
  });

  it("loses them when the agent stays, so that the moves are what saves them", async () => {
    const { moves, taken, collected, diedHosting } = await runField({ seed: 1, minutes: 20, stays: true });
    expect([moves.length, collected, diedHosting]).toEqual([0, 0, ["north"]]);
    expect(taken).toBeGreaterThan(100);
  });

  it("is the same in every run of a seed, to the last message, and another with another seed", async () => {
    const [a, b, c] = [
      await runField({ seed: 5, minutes: 8 }),
      await runField({ seed: 5, minutes: 8 }),
      await runField({ seed: 6, minutes: 8 }),
    ];
    expect(a).toEqual(b);
    expect(a.traceHash).not.toBe(c.traceHash);
  });

  it("draws each battery and the agent's way, in as many columns as there are", async () => {
    const text = plot(await runField({ seed: 1, minutes: 4 }), 40).split("\n");
    expect(text.slice(2, 4)).toEqual(["north   ▃▃▂▂", "        ━━"]);
    expect(text.slice(4, 6)).toEqual(["east    ▇▇▇▆", "          ━━"]);
    expect(text.every((line) => line.length <= 40)).toBe(true);
  });

  it("refuses a seed that is no number, and an option it does not have, with exit code 2", () => {
    for (const option of ["--seed=1.5", "--nap"]) {
      const { status, stderr, stdout } = run(option);
      expect([status, stdout]).toEqual([2, ""]);
      expect(stderr).toContain("Nothing was run");
    }
  });
});
