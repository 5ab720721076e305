import { expect, test } from "vitest";
import { deepImports, isExported } from "../rules/deep-imports.ts";
import { broken, manifest } from "./broken.ts";

const two = {
  "packages/abi/package.json": manifest("abi", {
    exports: { ".": "./dist/index.js", "./ids": "./dist/ids.js" },
  }),
  "packages/kernel/package.json": manifest("kernel"),
};

test("a subpath outside the exports map is refused", () => {
  const text = 'import "@glia-os/abi";\nimport "@glia-os/abi/ids";\nimport "@glia-os/abi/src/ids.ts";';
  const found = broken(deepImports, { ...two, "packages/kernel/src/a.ts": text });
  expect(found).toEqual([
    "packages/kernel/src/a.ts:3 @glia-os/abi/src/ids.ts is not in the exports map of packages/abi",
  ]);
});

test("a relative path into another package is refused, in tests too", () => {
  const found = broken(deepImports, {
    ...two,
    "packages/kernel/test/a.test.ts": 'import "../../abi/src/ids.ts";',
  });
  expect(found).toEqual(["packages/kernel/test/a.test.ts:1 ../../abi/src/ids.ts reaches into packages/abi"]);
});

test("a relative path from a script into a package is refused", () => {
  const found = broken(deepImports, { ...two, "bench/a.ts": 'import "../packages/abi/src/ids.ts";' });
  expect(found).toEqual(["bench/a.ts:1 ../packages/abi/src/ids.ts reaches into packages/abi"]);
});

test("a relative path out of a package is refused, except in its build configuration", () => {
  const found = broken(deepImports, {
    ...two,
    "packages/abi/src/a.ts": 'import "../../../shared.ts";',
    "packages/abi/tsup.config.ts": 'import "../../tsup.base.ts";',
  });
  expect(found).toEqual(["packages/abi/src/a.ts:1 ../../../shared.ts leaves packages/abi"]);
});

test("patterns, null targets and a lone string of an exports map are understood", () => {
  expect(isExported({ exports: { "./assembly/*": "./assembly/*" } }, "./assembly/a.ts")).toBe(true);
  expect(isExported({ exports: { "./internal/*": null } }, "./internal/a")).toBe(false);
  expect(isExported({ exports: "./a.js" }, ".")).toBe(true);
  expect(isExported({ exports: { import: "./a.js" } }, "./sub")).toBe(false);
  expect(isExported({}, ".")).toBe(false);
});
