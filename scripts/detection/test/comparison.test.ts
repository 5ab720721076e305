import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Comparison, faultsOf, medianOf } from "../comparison.ts";
import type { Detection } from "../kills.ts";

const PROGRAM = fileURLToPath(new URL("../main.ts", import.meta.url));
const WRONG = 2;
const NO_SERF = 3;
const soak = process.env["GLIA_SOAK"] === "1";

function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const all = ["--conditions=@glia-os/source", PROGRAM, ...args];
  return new Promise((resolve) =>
    execFile(process.execPath, all, { timeout: 500_000 }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out, err });
    }),
  );
}

function detection(times: readonly number[], more: Partial<Detection> = {}): Detection {
  const kills = times.map((allMs, i) => ({ firstMs: allMs - 100, allMs, heard: 9 - i }));
  return { kills, falsePositives: 0, load: { before: 0, after: 0 }, ...more };
}

function comparison(glia: Detection): Comparison {
  const machine = { cpu: "", cores: 4, node: "" };
  return {
    format: 1,
    date: "",
    size: 10,
    serfVersion: "",
    machine,
    glia,
    serf: detection([1000, 3000, 2000]),
  };
}

describe("a comparison with serf", () => {
  it("shows what is claimed up to 1.1 times serf's median, and no further", () => {
    expect(faultsOf(comparison(detection([2200, 9000, 100])))).toEqual([]);
    expect(faultsOf(comparison(detection([2300, 9000, 100])))).toEqual([
      "all members knew after 1.15 times serf's time",
    ]);
  });

  it("is at fault when somebody who ran was called dead, when a kill was not heard by all, and when nothing was measured", () => {
    expect(faultsOf(comparison(detection([2000], { falsePositives: 2 })))).toEqual([
      "2 times a running member was said to be dead",
    ]);
    const deaf = detection([2000, 2000]).kills.map((kill) => ({ ...kill, heard: 8 }));
    expect(faultsOf(comparison(detection([], { kills: deaf })))).toEqual(["kill 1 was heard by 8 of 9"]);
    expect(faultsOf(comparison(detection([])))).toHaveLength(1);
  });

  it("the kept run is of 24 processes and 6 kills and shows what is claimed", () => {
    const kept = JSON.parse(readFileSync(new URL("../kept.json", import.meta.url), "utf8")) as Comparison;
    expect([kept.format, kept.size, kept.glia.kills.length, kept.serf.kills.length]).toEqual([1, 24, 6, 6]);
    expect(faultsOf(kept)).toEqual([]);
    expect(medianOf(kept.glia, "firstMs")).toBeLessThanOrEqual(medianOf(kept.glia, "allMs"));
  });

  it("a wrong command line is refused before anything starts, and says what is right", async () => {
    const few = await run("--size", "3");
    expect([few.code, few.out]).toEqual([WRONG, ""]);
    expect(few.err).toContain("--size 3 is not a whole number from 4 to 64");
    expect((await run("--kills", "1e3")).err).toContain("--kills 1e3 is not a whole number from 1 to 21");
    expect((await run("--kill", "1")).code).toBe(WRONG);
  });

  it.runIf(soak)(
    "24 processes notice 6 kills as fast as serf's, and call nobody dead who runs (needs the long tier and serf)",
    async ({ skip }) => {
      const { code, err } = await run();
      skip(code === NO_SERF, err.trim());
      expect(err.split("\n").filter((text) => text.startsWith("not as claimed"))).toEqual([]);
      expect(code).toBe(0);
    },
  );
});
