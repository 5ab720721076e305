import { expect, test } from "vitest";
import { noDefaultExport } from "../rules/no-default-export.ts";
import { broken, manifest } from "./broken.ts";

const base = { "packages/abi/package.json": manifest("abi") };

test.each([
  "export default 1;",
  "export default class {}",
  "export default function f() {}",
  "const a = 1;\nexport { a as default };",
])("%s is refused in a package's source", (text) => {
  expect(broken(noDefaultExport, { ...base, "packages/abi/src/a.ts": text })).toHaveLength(1);
});

test("a default export passes in configuration and in an app", () => {
  const files = {
    ...base,
    "packages/abi/tsup.config.ts": "export default {};",
    "apps/cli/src/a.ts": "export default {};",
  };
  expect(
    broken(noDefaultExport, { ...files, "packages/abi/src/a.ts": "export const a = { default: 1 };" }),
  ).toEqual([]);
});
