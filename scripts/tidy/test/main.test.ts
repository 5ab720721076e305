import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { runChild } from "../../workspace/children.ts";
import { manifest } from "./broken.ts";

const main = join(import.meta.dirname, "../main.ts");
const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function repository(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "glia-tidy-"));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  execFileSync("git", ["init", "-q", root]);
  return root;
}

test("a broken rule ends with 1 and one line that says where, what and what to do; ignored files are not looked at", async () => {
  const root = repository({
    ".gitignore": "dist/\nignored.ts\n",
    "packages/kernel/package.json": manifest("kernel"),
    "packages/kernel/src/index.ts": "export {};\nsetTimeout(() => {}, 1);\n",
    "packages/kernel/src/ignored.ts": "let a: any;",
    "packages/kernel/dist/index.js": "Date.now();\n",
  });
  const { code, stdout, stderr } = await runChild(process.execPath, [main, "--root", root]);
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([
    "packages/kernel/src/index.ts:2 sans-io-source: uses setTimeout. Do this: take a Clock from @glia-os/abi/ports.",
    "packages/kernel/dist/index.js:1 sans-io-built: uses Date. Do this: take a Clock from @glia-os/abi/ports.",
  ]);
  expect(stdout).toContain("2 broken");
});

test("a waived finding ends with 0, and a rule that does not exist with 2", async () => {
  const waiver = { file: "packages/abi/src/index.ts", rule: "no-any", reason: "a type of another library" };
  const root = repository({
    "packages/abi/package.json": manifest("abi"),
    "packages/abi/src/index.ts": "let a: any;\n",
    "scripts/tidy/waivers.json": JSON.stringify([waiver]),
  });
  expect((await runChild(process.execPath, [main, "--root", root])).code).toBe(0);
  const unknown = await runChild(process.execPath, [main, "no-such-rule", "--root", root]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("no such rule: no-such-rule")]);
});
