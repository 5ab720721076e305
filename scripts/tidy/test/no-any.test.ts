import { expect, test } from "vitest";
import { noAny } from "../rules/no-any.ts";
import { broken } from "./broken.ts";

test("any is found as a type, in a cast, in an array and in a type argument", () => {
  const text = "let a: any;\nconst b = a as any;\nlet c: any[];\nlet d: Map<string, any>;";
  expect(broken(noAny, { "packages/abi/src/a.ts": text }).map((found) => found.split(" ")[0])).toEqual(
    [1, 2, 3, 4].map((line) => `packages/abi/src/a.ts:${line}`),
  );
});

test("any in names, text, comments and declaration files is not the type", () => {
  const text = '// any\nconst any = "any"; waitAny(any); Promise.any([]); // (x: any)';
  expect(
    broken(noAny, { "packages/abi/src/a.ts": text, "packages/abi/src/b.d.ts": "export let a: any;" }),
  ).toEqual([]);
});
