import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runChild } from "../../workspace/children.ts";
import { repositoryRoot } from "../../workspace/packages.ts";
import { parseBreak, sample } from "../break.ts";

const main = join(import.meta.dirname, "../main.ts");
const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A diff of one line of packages/adder/src/add.ts. */
function diff(from: string, to: string, file = "packages/adder/src/add.ts"): string {
  return `diff --git a/${file} b/${file}\n--- a/${file}\n+++ b/${file}\n@@ -1 +1 @@\n-${from}\n+${to}\n`;
}

const header =
  "Break: adds wrongly\nClaim: kernel.spawn\nTest: packages/user/test/user.test.ts > one and one\n\n";
const add = "export const add = (a: number, b: number): number => a + b;";
const claims = "## kernel\n| kernel.spawn | Spawns. | absent | |\n";

/** A workspace of two packages: `user`, which has the test, uses `adder` through a link in its node_modules. */
function workspace(breaks: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "glia-breaks-"));
  made.push(root);
  const files: Record<string, string> = {
    ".gitignore": "node_modules/\n",
    "vitest.config.ts": "export default {};\n",
    "docs/claims.md": claims,
    "packages/adder/package.json": '{"name":"adder","type":"module","exports":"./src/add.ts"}',
    "packages/adder/src/add.ts": `${add}\n`,
    "packages/user/package.json": '{"name":"user","type":"module"}',
    "packages/user/test/user.test.ts":
      'import { expect, test } from "vitest";\nimport { add } from "adder";\n' +
      'test("one and one", () => expect(add(1, 1)).toBe(2));\ntest("zero", () => expect(add(0, 0)).toBe(0));\n',
  };
  for (const [name, text] of Object.entries(breaks)) files[`conformance/breaks/${name}.patch`] = text;
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, "packages/user/node_modules"), { recursive: true });
  symlinkSync("../../adder", join(root, "packages/user/node_modules/adder"), "dir");
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(repositoryRoot, "node_modules/vitest"), join(root, "node_modules/vitest"), "junction");
  execFileSync("git", ["init", "-q", root]);
  return root;
}

const run = (root: string, ...args: string[]) => runChild(process.execPath, [main, "--root", root, ...args]);

test("a break in a package is noticed by the test of its dependant, and the working tree stays as it was", async () => {
  const root = workspace({ wrong: header + diff(add, add.replace("a + b", "a - b")) });
  const { code, stdout } = await run(root, "wrong");
  expect(stdout).toContain("wrong: noticed: adds wrongly");
  expect(code).toBe(0);
  expect(readFileSync(join(root, "packages/adder/src/add.ts"), "utf8")).toBe(`${add}\n`);
});

test("a break that its test does not notice fails", async () => {
  const root = workspace({ harmless: header + diff(add, add.replace("a + b", "b + a")) });
  const { code, stdout } = await run(root, "--all");
  expect([code, stdout]).toEqual([1, expect.stringContaining("harmless: NOT NOTICED")]);
  expect(stdout).toContain("with the patch its test passed");
});

test("a break that keeps the source from loading proves nothing", async () => {
  const root = workspace({ syntax: header + diff(add, "export const add = (;") });
  expect((await run(root, "syntax")).stdout).toContain("with the patch its test did not run");
});

test("a test that does not exist, and a patch that does not apply, fail", async () => {
  const root = workspace({
    renamed: header.replace("one and one", "two and two") + diff(add, "export const add = () => 0;"),
    stale: header + diff("export const sub = 1;", "export const sub = 2;"),
  });
  const { code, stdout } = await run(root, "--all");
  expect(stdout).toContain("without the patch its test did not run");
  expect(stdout).toContain("the patch does not apply");
  expect([code, stdout]).toEqual([1, expect.stringContaining("0 noticed, 2 failed")]);
});

test("a break of a claim that the page does not have fails without running a test", async () => {
  const root = workspace({ other: header.replace("kernel.spawn", "kernel.nothing") + diff(add, "x") });
  const { code, stderr } = await run(root, "--check");
  expect([code, stderr]).toEqual([1, expect.stringContaining("other names the claim kernel.nothing")]);
});

test("a patch that no longer applies fails the check without running a test, and changes nothing", async () => {
  const good = header + diff(add, add.replace("a + b", "a - b"));
  const fits = workspace({ good });
  expect(await run(fits, "--check")).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(join(fits, "packages/adder/src/add.ts"), "utf8")).toBe(`${add}\n`);
  const root = workspace({ good, stale: header + diff("export const sub = 1;", "export const sub = 2;") });
  const { code, stderr } = await run(root, "--check");
  expect([code, stderr]).toEqual([1, expect.stringContaining("stale does not apply; make it again")]);
  expect(stderr).not.toContain("good");
});

describe("a break file that is not right is refused", () => {
  const patch = diff(add, "x");
  const refused: [string, string, string][] = [
    ["without a diff", header, "has no diff"],
    ["without a claim", header.replace(/Claim.*\n/, "") + patch, '0 lines "Claim: ..."'],
    ["with two tests", `Test: a.test.ts > b\n${header}${patch}`, '2 lines "Test: ..."'],
    ["with a test without a title", header.replace(/ > .*/, "") + patch, "names its test as"],
    [
      "that changes a test",
      header + diff("a", "b", "packages/user/test/user.test.ts"),
      "which is not shipped source",
    ],
  ];
  test.each(refused)("%s", (_, text, problem) => {
    expect(parseBreak("x", text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

test("a seed always takes the same sample, and other seeds take others", () => {
  const names = Array.from({ length: 20 }, (_, index) => `break-${index}`);
  expect(sample(names, 2, "abc")).toEqual(sample(names.toReversed(), 2, "abc"));
  expect(
    new Set(["a", "b", "c", "d", "e"].map((seed) => sample(names, 2, seed).join())).size,
  ).toBeGreaterThan(1);
  expect(sample(names, 50, "abc")).toHaveLength(20);
});
