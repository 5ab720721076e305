import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bench, currentPage } from "../src/commands.ts";
import {
  type BenchFolders,
  loadSuite,
  readResult,
  resultNames,
  suiteNames,
  writeResult,
} from "../src/folders.ts";
import type { BenchResult } from "../src/result.ts";
import { keepingErrors } from "../src/validate.ts";

const root = join(import.meta.dirname, "../..");
const repository: BenchFolders = {
  suites: join(root, "bench/suites"),
  results: join(root, "bench/results"),
  docs: join(root, "docs/benchmarks.md"),
};
const golden = JSON.parse(
  readFileSync(join(root, "conformance/vectors/bench-result.json"), "utf8"),
) as BenchResult;

const SUITE = `export const suite = { title: "a suite for tests", rows: [{
  id: "one", what: "nothing", unit: "bytes", better: "lower", excludes: "everything",
  target: { max: 5, ratio: { twice: 2 } },
  glia: () => ({ value: () => 4 }),
  peers: { twice: () => ({ value: () => 8 }) } }] };`;

let folder: string;
let folders: BenchFolders;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "glia-bench-test-"));
  folders = {
    suites: join(folder, "suites"),
    results: join(folder, "results"),
    docs: join(folder, "page.md"),
  };
  mkdirSync(folders.suites);
  writeFileSync(join(folders.suites, "tiny.ts"), SUITE);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function call(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await bench(args, folders, { out: (text) => out.push(text), err: (text) => err.push(text) });
  return { code, out: out.join("\n"), err: err.join("\n") };
}

describe("pnpm bench NAME", () => {
  it("runs a suite and keeps a result that passes every check", async () => {
    const { code, out } = await call("tiny");
    expect(code).toBe(0);
    expect(out).toContain(
      "| one | nothing | 4 bytes (lower is better) | twice 8 (2 times) | at most 5 bytes, 2 times twice | met |",
    );
    const kept = readResult(folders, "tiny");
    expect(keepingErrors(kept)).toEqual([]);
    expect(kept.rows[0]).toMatchObject({ glia: 4, met: true, ratios: { twice: 2 } });
    expect(kept.rows[0]!.samples).toHaveLength(15);
  });

  it("--quick --json prints one line marked quick and keeps nothing", async () => {
    const { code, out } = await call("tiny", "--quick", "--json");
    expect(code).toBe(0);
    expect(out.split("\n")).toHaveLength(1);
    expect(JSON.parse(out)).toMatchObject({ name: "tiny", quick: true, rows: [{ id: "one", met: true }] });
    expect(existsSync(folders.results)).toBe(false);
  });

  it.each([
    ["nope", "There are: tiny."],
    ["../suites/tiny", "There are: tiny."],
    ["", "There are: tiny."],
  ])("an unknown name %j is refused by naming the suites", async (name, message) => {
    expect(await call(name)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(message) });
  });

  it.each([
    [[]],
    [["tiny", "more"]],
    [["tiny", "--strict"]],
    [["list", "--quick"]],
    [["--fast"]],
    [["check", "a", "b"]],
  ])("the command line %j is refused with the usage", async (args) => {
    expect(await call(...args)).toMatchObject({
      code: 2,
      out: "",
      err: expect.stringContaining("usage: pnpm bench"),
    });
  });

  it("--help prints the usage", async () => {
    expect(await call("--help")).toMatchObject({
      code: 0,
      out: expect.stringContaining("usage: pnpm bench"),
    });
  });
});

describe("pnpm bench check", () => {
  it("prints what falls short and what cannot be judged; only --strict fails", async () => {
    writeResult(folders, golden);
    const relaxed = await call("check");
    expect(relaxed.code).toBe(0);
    expect(relaxed.out.split("\n")).toEqual([
      "example/spawn-reply: not judged: go missing",
      "example/latency: falls short: 12 us is above 10 us",
      "1 results, 1 targets met, 1 rows fall short",
    ]);
    expect(await call("check", "example", "--strict")).toEqual({ ...relaxed, code: 1 });
  });

  it("--strict passes when nothing falls short", async () => {
    writeResult(folders, { ...golden, rows: golden.rows.filter((row) => row.met !== false) });
    expect((await call("check", "--strict")).code).toBe(0);
  });

  it("refuses a name without a result, and says which there are", async () => {
    expect(await call("check", "tiny")).toMatchObject({
      code: 2,
      err: expect.stringContaining("There is no result yet"),
    });
    writeResult(folders, golden);
    expect(await call("check", "tiny")).toMatchObject({
      code: 2,
      err: expect.stringContaining("There are: example."),
    });
  });

  it.each([
    ["is not JSON", "{"],
    ["is not a result", "{}"],
    [
      "is not a result",
      JSON.stringify({ ...golden, rows: golden.rows.map((row) => ({ ...row, met: true })) }),
    ],
    ["is a result of example", JSON.stringify(golden)],
  ])("refuses a file that %s", async (message, text) => {
    mkdirSync(folders.results);
    writeFileSync(join(folders.results, "bad.json"), text);
    expect(await call("check")).toMatchObject({
      code: 1,
      err: expect.stringContaining(`results/bad.json ${message}`),
    });
  });
});

it("a disturbed run is refused before anything is written", () => {
  const disturbed = { ...golden, machine: { ...golden.machine, stealPct: 11 } };
  expect(() => writeResult(folders, disturbed)).toThrow(
    "the run is not kept: 11 % of processor time was stolen",
  );
  expect(existsSync(folders.results)).toBe(false);
});

it("pnpm bench list names each suite, its rows and its last result", async () => {
  expect((await call("list")).out).toBe("tiny: a suite for tests (1 rows, no result)");
  await call("tiny");
  expect((await call("list")).out).toMatch(
    /^tiny: a suite for tests \(1 rows, last result \d{4}-\d\d-\d\d\)$/,
  );
});

it("pnpm bench docs writes the page from the results", async () => {
  writeResult(folders, golden);
  expect((await call("docs")).code).toBe(0);
  const page = readFileSync(folders.docs, "utf8");
  expect(page).toBe(currentPage(folders));
  expect(page).toContain("| not judged: go missing |");
  expect(page).toContain("| **not met** |");
});

describe("this repository", () => {
  it("has only good results, each of a suite that exists and with that suite's rows and targets", async () => {
    for (const name of resultNames(repository)) {
      expect(suiteNames(repository)).toContain(name);
      const result = readResult(repository, name);
      expect(keepingErrors(result)).toEqual([]);
      const { rows } = await loadSuite(repository, name);
      expect(result.rows.map(({ id, target }) => ({ id, target }))).toEqual(
        rows.map(({ id, target = {} }) => ({ id, target })),
      );
    }
  });

  it("has a page that is what its results make; if this fails, run pnpm bench docs", () => {
    expect(readFileSync(repository.docs, "utf8")).toBe(currentPage(repository));
  });

  it("lists its suites from the command line", () => {
    const args = ["--conditions=@glia-os/source", join(root, "bench/main.ts"), "list"];
    const out = execFileSync(process.execPath, args, { encoding: "utf8" });
    expect(
      out
        .split("\n")
        .filter((line) => /^[a-z0-9-]+: /.test(line))
        .map((line) => line.split(":")[0]),
    ).toEqual(suiteNames(repository));
  });
});
