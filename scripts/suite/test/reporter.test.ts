import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { runChild } from "../../workspace/children.ts";
import { repositoryRoot } from "../../workspace/packages.ts";
import { readReport } from "../outcomes.ts";

const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

test("the report has every test, the reason of a skip, and files and hooks that broke", async () => {
  const root = mkdtempSync(join(tmpdir(), "glia-reporter-"));
  made.push(root);
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(repositoryRoot, "node_modules/vitest"), join(root, "node_modules/vitest"), "junction");
  const imports = 'import { beforeAll, describe, expect, test } from "vitest";\n';
  writeFileSync(
    join(root, "a.test.ts"),
    `${imports}test("passes", () => {});\ntest("fails", () => expect(1).toBe(2));\n` +
      'test("skips", ({ skip }) => skip("no server"));\ndescribe.skipIf(true)("group (needs etcd)", () => { test("inner", () => {}); });\n',
  );
  writeFileSync(join(root, "b.test.ts"), 'import "./nowhere.ts";\n');
  writeFileSync(
    join(root, "c.test.ts"),
    `${imports}describe("hooked", () => { beforeAll(() => { throw new RangeError("hook"); }); test("after", () => {}); });\n`,
  );
  const path = join(root, "report.json");
  const reporter = join(import.meta.dirname, "../reporter.ts");
  const args = [
    join(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--root",
    root,
    `--reporter=${reporter}`,
  ];
  const { code } = await runChild(process.execPath, args, {
    cwd: root,
    env: { ...process.env, GLIA_TEST_REPORT: path },
  });
  const report = readReport(path);
  expect(code).toBe(1);
  expect(report?.outcomes.map(({ name, state, reason }) => [name, state, reason]).sort()).toEqual([
    ["fails", "failed", "expected 1 to be 2 // Object.is equality"],
    ["group (needs etcd) > inner", "skipped", undefined],
    ["hooked > after", "skipped", undefined],
    ["passes", "passed", undefined],
    ["skips", "skipped", "no server"],
  ]);
  expect(report?.broken).toEqual([expect.stringContaining("nowhere"), expect.stringContaining("hook")]);
});
