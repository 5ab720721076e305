import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { TestOutcome } from "../../suite/outcomes.ts";
import { runChild } from "../../workspace/children.ts";
import { parseClaims } from "../claims.ts";
import { judgeOutcomes, missingProofs } from "../proofs.ts";

const head = "## kernel\n\n| claim | what must be true | status | proof |\n|---|---|---|---|\n";
const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function folder(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), "glia-claims-"));
  made.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe("a row that breaks the page's rules is named with its line", () => {
  const rows: [string, string][] = [
    ["| kernel.a | Works. | done | |", '5 kernel.a has status "done"; it is works, partial or absent'],
    ["| kernel.a | Works. | works | |", '5 kernel.a is "works" without a proof'],
    ["| kernel.a | Works. Missing: x | partial | |", '5 kernel.a is "partial" without a proof'],
    [
      "| kernel.a | Works. | partial | `a.test.ts > b` |",
      '5 kernel.a is "partial" and does not say what is missing ("Missing: ...")',
    ],
    ["| kernel.a | Works. | absent | `a.test.ts > b` |", '5 kernel.a is "absent" but names a proof'],
    ["| kernel.a |  | absent | |", "5 kernel.a does not say what must be true"],
    ["| hal.a | Works. | absent | |", '5 hal.a stands under "kernel"'],
    ["| spawn | Works. | absent | |", '5 "spawn" is no claim id, such as kernel.spawn'],
    [
      "| kernel.a | Works. | absent |",
      "5 a row has 4 cells: claim, what must be true, status, proof; this one has 3",
    ],
    ["| kernel.a | Works. | absent | |\n| kernel.a | Works. | absent | |", "6 kernel.a is there twice"],
  ];
  test.each(rows)("%s", (row, problem) => {
    expect(parseClaims(head + row).problems.map(({ line, message }) => `${line} ${message}`)).toEqual([
      problem,
    ]);
  });

  test("a proof in another form", () => {
    expect(
      parseClaims(`${head}| kernel.a | Works. | works | see the tests |`).problems[0]?.message,
    ).toContain("not written as");
  });
});

test("several proofs of both kinds are read", () => {
  const { claims } = parseClaims(
    `${head}| kernel.a | Works. | works | \`a/b.test.ts > does > it\`<br>\`bench/results/k.json#spawn\` |`,
  );
  expect(claims[0]?.proofs).toEqual([
    { kind: "test", file: "a/b.test.ts", title: "does > it" },
    { kind: "bench", file: "bench/results/k.json", row: "spawn" },
  ]);
});

test("a named file, title or row that does not exist, and a row that misses its target, is a problem", () => {
  const root = folder({
    "a.test.ts": [
      'test("a task sleeps", f);',
      'test.each(x)("wakes %s", f);',
      `describe(\`on \${name} it rests\`, f);`,
      '// test("commented", f)',
      'log("logged");',
    ].join("\n"),
    "bench/results/k.json": '{"rows":[{"id":"spawn","met":true},{"id":"slow","met":false}]}',
  });
  const problemsOf = (proof: string): string[] =>
    missingProofs(root, parseClaims(`${head}| kernel.a | Works. | works | \`${proof}\` |`).claims).map(
      ({ message }) => message,
    );
  expect(
    ["a.test.ts > sleeps", "a.test.ts > wakes", "a.test.ts > it rests", "bench/results/k.json#spawn"].flatMap(
      problemsOf,
    ),
  ).toEqual([]);
  expect(["a.test.ts > commented", "a.test.ts > logged", "b.test.ts > x"].flatMap(problemsOf)).toEqual([
    'kernel.a: a.test.ts has no test whose title contains "commented"',
    'kernel.a: a.test.ts has no test whose title contains "logged"',
    "kernel.a: the test file b.test.ts does not exist",
  ]);
  expect(
    ["bench/results/k.json#none", "bench/results/k.json#slow", "bench/results/z.json#a"].flatMap(problemsOf),
  ).toEqual([
    'kernel.a: bench/results/k.json has no row "none"',
    "kernel.a: bench/results/k.json#slow misses its target",
    "kernel.a: the result bench/results/z.json does not exist; run the benchmark",
  ]);
});

test("a proof that failed or did not run is a problem, a skipped one a remark with its reason", () => {
  const { claims } = parseClaims(
    `${head}| kernel.a | A. | works | \`a.test.ts > a\` |\n| kernel.b | B. | works | \`b.test.ts > b\` |\n` +
      "| kernel.c | C. | works | `c.test.ts > c` |\n| kernel.d | D. | works | `src/testing/suite.ts > d` |",
  );
  const outcomes: TestOutcome[] = [
    { file: "a.test.ts", name: "x > a", state: "failed" },
    { file: "c.test.ts", name: "c", state: "skipped", reason: "no etcd" },
    { file: "other.test.ts", name: "b", state: "passed" },
    { file: "other.test.ts", name: "on etcd > d", state: "passed" },
  ];
  const { problems, skipped } = judgeOutcomes(claims, outcomes);
  expect(problems.map(({ message }) => message)).toEqual([
    "kernel.a: its proof failed: a",
    "kernel.b: its proof did not run: b.test.ts > b",
  ]);
  expect(skipped).toEqual(["kernel.c: its proof was skipped (no etcd): c"]);
});

const main = join(import.meta.dirname, "../main.ts");
const run = (root: string, ...args: string[]) => runChild(process.execPath, [main, "--root", root, ...args]);

test("a stale status table fails until it is written", async () => {
  const readme = "# Glia\n<!-- status:begin -->\nold\n<!-- status:end -->\nrest\n";
  const root = folder({ "README.md": readme, "docs/claims.md": `${head}| kernel.a | A. | absent | |` });
  const stale = await run(root);
  expect([stale.code, stale.stderr]).toEqual([1, expect.stringContaining("the status table is stale")]);
  expect((await run(root, "--write")).code).toBe(0);
  expect((await run(root)).code).toBe(0);
  const written = readFileSync(join(root, "README.md"), "utf8");
  expect(written).toContain("| [kernel](docs/claims.md#kernel) | 0 | 0 | 1 |");
  expect(written.endsWith("<!-- status:end -->\nrest\n")).toBe(true);
});

test("a README without the markers fails and says which are wanted", async () => {
  const root = folder({ "README.md": "# Glia\n", "docs/claims.md": head });
  expect((await run(root, "--write")).stderr).toContain("<!-- status:begin -->");
});

test("this repository's page can be read and names nothing twice", () => {
  const { claims, problems } = parseClaims(
    readFileSync(join(import.meta.dirname, "../../../docs/claims.md"), "utf8"),
  );
  expect(problems).toEqual([]);
  expect(claims.length).toBeGreaterThanOrEqual(147);
});
