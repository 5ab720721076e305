import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { runChild } from "../../workspace/children.ts";
import { blocksOf, missingOutput } from "../blocks.ts";

const main = join(import.meta.dirname, "../main.ts");
const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const fence = (info: string, ...lines: string[]): string =>
  ["```".concat(info), ...lines, "```", ""].join("\n");

function repository(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "glia-doc-blocks-"));
  made.push(root);
  const all = {
    ".gitignore": ".glia/\n",
    "apps/cli/package.json": '{"name":"glia","type":"module"}',
    "packages/adder/package.json":
      '{"name":"adder","type":"module","exports":{"@glia-os/source":"./src/add.ts","default":"./dist/add.js"}}',
    "packages/adder/src/add.ts": "export const add = (a: number, b: number): number => a + b;\n",
    ...files,
  };
  for (const [path, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  execFileSync("git", ["init", "-q", root]);
  return root;
}

const run = (root: string) => runChild(process.execPath, [main, "--root", root]);

test("a block imports its own package from source, prints what it says, and leaves nothing behind", async () => {
  const root = repository({
    "packages/adder/README.md": fence(
      "ts",
      'import { add } from "adder";',
      "console.log(add(1, 2)); // => 3",
      'await import("node:fs").then((fs) => fs.writeFileSync("out.txt", ""));',
    ),
  });
  const { code, stdout, stderr } = await run(root);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("counts: 1 passed, 0 failed");
  expect(existsSync(join(root, "packages/adder/out.txt"))).toBe(false);
  expect(readdirSync(join(root, "packages/adder/.glia"))).toEqual([]);
});

test("a block that throws, prints something else, or cannot load fails at its line", async () => {
  const root = repository({
    "README.md": `${fence("ts", 'throw new RangeError("no");')}${fence("ts", "console.log(1 + 1); // => 3")}`,
    "docs/a.md": fence("ts", 'import "nowhere";'),
  });
  const { code, stdout, stderr } = await run(root);
  expect(code).toBe(1);
  expect(stderr).toContain("README.md:2 ended with 1:");
  expect(stderr).toContain("RangeError: no");
  expect(stderr).toContain('README.md:5 says it prints "3", and printed:\n2');
  expect(stderr).toContain("docs/a.md:2 ended with 1:");
  expect(stdout).toContain("counts: 0 passed, 3 failed");
});

test("a block that opts out without a reason fails, and with one is left out", async () => {
  const root = repository({
    "README.md": `${fence("ts no-run", "x")}\ntext\n${fence("ts no-run", "y")}<!-- no-run: it needs a key -->\n${fence("ts slow", "z")}`,
  });
  const { code, stderr } = await run(root);
  expect(code).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([
    'README.md:1 ts no-run without a comment "<!-- no-run: why -->" after the block',
    'README.md:10 "ts slow" is no fence we know: ts, or ts no-run',
  ]);
});

describe("reading fences", () => {
  test("other languages are left out, longer and indented fences are understood", () => {
    const text = `${fence("sh", "rm -rf x")}${fence("js", "y")}\`\`\`\`md\n${fence("ts", "inside another fence")}\`\`\`\`\n  ${fence("ts", "const a = 1;")}`;
    expect(blocksOf("a.md", text).blocks.map((block) => block.text)).toEqual(["const a = 1;"]);
  });

  test("a fence that is never closed is a problem", () => {
    expect(blocksOf("a.md", "\n```ts\nconst a = 1;").problems).toEqual([
      { file: "a.md", line: 2, message: "the fence is never closed" },
    ]);
  });
});

test("what is expected must be printed in that order", () => {
  expect(missingOutput(["1", "2"], "0\n1\nx\n2\n")).toBeUndefined();
  expect(missingOutput(["2", "1"], "1\n2\n")).toBe("1");
  expect(missingOutput(["1", "1"], "1\n")).toBe("1");
});
