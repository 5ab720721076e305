/** `glia sim` as a real process. */
import { describe, expect, it } from "vitest";
import { resultOf, runCli, startCli } from "./run-cli.ts";

const lastLine = (text: string): Record<string, unknown> => JSON.parse(text.trim().split("\n").at(-1) ?? "");

describe("glia sim", () => {
  it("prints what happened and that the properties hold; the same seed has the same trace", async () => {
    const args = ["sim", "--nodes", "12", "--scenario", "churn", "--seed", "7"];
    const [first, second] = await Promise.all([runCli(args), runCli([...args, "--json"])]);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/churn: 12 members, profile lan, seed 7: 6 min 0 s in .* times real time/);
    expect(first.stdout).toMatch(/holds {6}M1 to M9/);
    const record = lastLine(second.stdout);
    expect(record).toMatchObject({ ok: true, seed: 7, nodes: 12, scenario: "churn", healthyDeaths: 0 });
    expect(first.stdout).toContain(String(record["traceHash"]));
  });

  it("lists its scenarios", async () => {
    const { stdout, code } = await runCli(["sim", "--list"]);
    expect([code, stdout.includes("one-way"), stdout.includes("gray")]).toEqual([0, true, true]);
  });

  it("a violation ends with code 1, the faults that are needed, and one command that repeats it", async () => {
    const crash = { kind: "crash", atMs: 20_000, machine: 2 };
    const idle = [
      { kind: "reset", atMs: 5000, a: 0, b: 1 },
      { kind: "stall", atMs: 15_000, forMs: 10, machine: 1, flavour: "io-only" },
    ];
    const given = ["sim", "--nodes", "6", "--seed", "1", "--minutes", "1", "--converge", "3", "--faults"];
    const { code, stdout } = await runCli([...given, JSON.stringify([...idle, crash]), "--json"]);
    expect(code).toBe(1);
    const failure = lastLine(stdout);
    expect(failure).toMatchObject({ ok: false, seed: 1, minimal: true, faults: [crash] });
    expect(failure["what"]).toMatch(/^M2: 3000 ms after the last fault/);
    expect(failure["replay"]).toContain(
      `--seed 1 --minutes 1 --converge 3 --faults '${JSON.stringify([crash])}'`,
    );
    const again = await runCli([...given, JSON.stringify([crash])]);
    expect([again.code, again.stdout.includes("VIOLATED"), again.stdout.includes("repeat with:")]).toEqual([
      1,
      true,
      true,
    ]);
  });

  it("Ctrl-C ends a long run at once, with code 130 and nothing half printed", async () => {
    const child = startCli(["sim", "--nodes", "200", "--minutes", "1440"]);
    const result = resultOf(child);
    let said = "";
    await new Promise<void>((resolve) =>
      child.stderr?.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("glia: seed 1: minute")) resolve();
      }),
    );
    child.kill("SIGINT");
    const { code, stdout } = await result;
    expect([code, stdout]).toEqual([130, ""]);
  });

  it.each([
    [["--nodes", "1"], "--nodes 1 is not a whole number from 2 to 4096"],
    [["--nodes", "1e3"], "--nodes 1e3 is not a whole number"],
    [["--scenario", "flood"], 'there is no scenario "flood"'],
    [["--profile", "faster"], "--profile faster is none of lan"],
    [["--seeds", "0"], "--seeds 0 is not a whole number"],
    [["--seed", "abc", "--seeds", "3"], "--seeds counts up from a number"],
    [["--minutes", "0"], "--minutes 0 is not a number from 0.1"],
    [["--faults", "{}"], "--faults is no JSON list"],
    [["--faults", "@/no/such/file"], "--faults cannot be read"],
  ])("%j is refused with a sentence and code 2", async (args, sentence) => {
    const { code, stderr, stdout } = await runCli(["sim", ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(sentence);
    expect(stdout).toBe("");
  });

  it("a fault that is none is refused by its number", async () => {
    const { code, stderr } = await runCli([
      "sim",
      "--nodes",
      "3",
      "--faults",
      '[{"kind":"crash","atMs":1,"machine":3}]',
    ]);
    expect([code, stderr.includes("fault 0 was refused")]).toEqual([1, true]);
  });
});
