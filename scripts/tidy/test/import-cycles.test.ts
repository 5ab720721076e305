import { expect, test } from "vitest";
import { importCycles } from "../rules/import-cycles.ts";
import { broken, manifest } from "./broken.ts";

const base = { "packages/abi/package.json": manifest("abi") };

test("a cycle is printed along its files, and types count", () => {
  const found = broken(importCycles, {
    ...base,
    "packages/abi/src/a.ts": 'import "./b.ts";',
    "packages/abi/src/b.ts": 'import type { C } from "./deep/c.ts";',
    "packages/abi/src/deep/c.ts": 'export * from "../a.ts";',
  });
  expect(found).toEqual([
    "packages/abi/src/a.ts:1 import cycle of types: packages/abi/src/a.ts -> packages/abi/src/b.ts -> packages/abi/src/deep/c.ts -> packages/abi/src/a.ts",
  ]);
});

test("a file that imports itself is a cycle", () => {
  expect(broken(importCycles, { ...base, "packages/abi/src/a.ts": 'import "./a.ts";' })).toHaveLength(1);
});

test("two ways to one file are no cycle", () => {
  const found = broken(importCycles, {
    ...base,
    "packages/abi/src/a.ts": 'import "./b.ts";\nimport "./c.ts";',
    "packages/abi/src/b.ts": 'import "./c.ts";',
    "packages/abi/src/c.ts": "export {};",
  });
  expect(found).toEqual([]);
});

test("a cycle that is there at run time is not called one of types", () => {
  const found = broken(importCycles, {
    ...base,
    "packages/abi/src/a.ts": 'import "./b.ts";',
    "packages/abi/src/b.ts": 'import "./a.ts";',
  });
  expect(found).toEqual([expect.stringContaining("import cycle: ")]);
});
