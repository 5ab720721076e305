import { expect, test } from "vitest";
import { layers } from "../layers.ts";
import { layerTable } from "../rules/layers.ts";
import { broken, manifest } from "./broken.ts";

const abi = { "packages/abi/package.json": manifest("abi") };

test("a dependency upward in package.json is refused at its line", () => {
  const found = broken(layerTable, {
    ...abi,
    "packages/kernel/package.json": manifest("kernel", {
      dependencies: { "@glia-os/abi": "*", "@glia-os/cells": "*" },
    }),
    "packages/cells/package.json": manifest("cells"),
  });
  expect(found).toEqual(["packages/kernel/package.json:10 kernel depends on cells"]);
});

test("an import of a type upward is refused although package.json is silent", () => {
  const found = broken(layerTable, {
    ...abi,
    "packages/abi/src/index.ts": 'import type { Task } from "@glia-os/kernel";\nexport type A = Task;',
  });
  expect(found).toEqual(["packages/abi/src/index.ts:1 abi imports @glia-os/kernel"]);
});

test("import types, dynamic imports, re-exports and subpaths are imports too", () => {
  const found = broken(layerTable, {
    ...abi,
    "packages/abi/src/a.ts": 'export type A = import("@glia-os/hal").B;',
    "packages/abi/src/b.ts": 'export const b = () => import("@glia-os/hal/clock");',
    "packages/abi/src/c.ts": 'export { c } from "@glia-os/hal";',
  });
  expect(found).toHaveLength(3);
});

test("an import downward is accepted, and so is a package's own name", () => {
  const found = broken(layerTable, {
    ...abi,
    "packages/kernel/package.json": manifest("kernel", { dependencies: { "@glia-os/abi": "*" } }),
    "packages/kernel/src/index.ts":
      'import "@glia-os/abi/ids";\nimport "@glia-os/kernel";\nimport "node:fs";',
  });
  expect(found).toEqual([]);
});

test("a package that is in no layer is refused", () => {
  expect(broken(layerTable, { "packages/extras/package.json": manifest("extras") })).toEqual([
    'packages/extras/package.json:1 package "extras" is in no layer',
  ]);
});

test("the table has no cycle and the mesh's halves meet only in abi", () => {
  const visit = (short: string, above: readonly string[]): void => {
    expect(above).not.toContain(short);
    for (const below of layers[short] ?? []) visit(below, [...above, short]);
  };
  for (const short of Object.keys(layers)) visit(short, []);
  expect(layers["mesh-core"]).toEqual(["abi"]);
  expect(layers["mesh-wire"]).not.toContain("mesh-core");
});
