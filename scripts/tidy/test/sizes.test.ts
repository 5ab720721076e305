import { expect, test } from "vitest";
import { sizes } from "../rules/sizes.ts";
import { broken } from "./broken.ts";

test("a long function, many parameters, a long file and a long index are advice", () => {
  const found = broken(sizes, {
    "packages/abi/src/a.ts": `function long() {\n${"f();\n".repeat(69)}}\n`,
    "packages/abi/src/b.ts": "const many = (a, b, c, d, e) => a;",
    "packages/abi/src/c.ts": "f();\n".repeat(501),
    "packages/abi/src/index.ts": "f();\n".repeat(121),
  });
  expect(found).toEqual([
    "packages/abi/src/a.ts:1 long has 71 lines, more than 70",
    "packages/abi/src/b.ts:1 many takes 5 positional parameters, more than 4",
    "packages/abi/src/c.ts:1 501 lines, more than 500",
    "packages/abi/src/index.ts:1 121 lines, more than 120",
  ]);
  expect(sizes.absolute).toBe(false);
});

test("sizes at the limit are silent", () => {
  const found = broken(sizes, {
    "packages/abi/src/a.ts": `function long() {\n${"f();\n".repeat(68)}}\n`,
    "packages/abi/src/index.ts": "f();\n".repeat(120),
  });
  expect(found).toEqual([]);
});
