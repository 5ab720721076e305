import { describe, expect, test } from "vitest";
import { documentedExports, isCompleteSentence } from "../rules/documented-exports.ts";
import { broken, manifest } from "./broken.ts";

function inAbi(files: Record<string, string>): string[] {
  const placed = Object.entries(files).map(([name, text]) => [`packages/abi/src/${name}`, text]);
  return broken(documentedExports, {
    "packages/abi/package.json": manifest("abi"),
    ...Object.fromEntries(placed),
  });
}

test("an export without a comment is found through re-exports, where it is declared", () => {
  const found = inAbi({
    "index.ts": 'export { a, type B } from "./a.ts";\nexport * from "./c.ts";\nexport * as d from "./d.ts";',
    "a.ts": "export const a = 1;\nexport interface B { c: 1 }",
    "c.ts": "\nexport function c(): void {}",
    "d.ts": "export class D {}",
  });
  expect(found).toEqual([
    "packages/abi/src/a.ts:1 export a has no doc comment",
    "packages/abi/src/a.ts:2 export B has no doc comment",
    "packages/abi/src/c.ts:2 export c has no doc comment",
    "packages/abi/src/d.ts:1 export d.D has no doc comment",
  ]);
});

test("an export by list and an import that is exported again are followed", () => {
  const found = inAbi({
    "index.ts": 'import { a as b } from "./a.ts";\nconst c = 1;\nexport { b, c };',
    "a.ts": "export const a = 1;",
  });
  expect(found).toEqual([
    "packages/abi/src/a.ts:1 export b has no doc comment",
    "packages/abi/src/index.ts:2 export c has no doc comment",
  ]);
});

test("what no entry point exports needs no comment", () => {
  expect(inAbi({ "index.ts": "const a = 1;\nexport {};", "b.ts": "export const b = 1;" })).toEqual([]);
});

test("one documented overload documents the function", () => {
  const text =
    "/** Adds two numbers. */\nexport function a(x: 1): 1;\nexport function a(x: 2): 2;\nexport function a(x: 1): 1 { return x; }";
  expect(inAbi({ "index.ts": text })).toEqual([]);
});

test("a comment that is no sentence is refused", () => {
  expect(inAbi({ "index.ts": "/** the clock */\nexport const a = 1;" })).toEqual([
    "packages/abi/src/index.ts:2 the doc comment of a starts with no sentence",
  ]);
});

describe("a first sentence", () => {
  const complete = [
    "A clock that never goes back.",
    "`datagram`: small and urgent (probes). More.",
    "Reads the file (see RFC 8949).",
    "States of a task:\n- ready",
    "Wraps\nover lines.\n\nmore",
    "Ends with code `a.b`.",
  ];
  const incomplete = [
    "",
    "clock",
    "Clock",
    "Clock.",
    "lower case start.",
    "No full stop at all",
    "Version 1.2 without end",
  ];
  test.each(complete)("complete: %s", (doc) => expect(isCompleteSentence(doc)).toBe(true));
  test.each(incomplete)("incomplete: %s", (doc) => expect(isCompleteSentence(doc)).toBe(false));
});
