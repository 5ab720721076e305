import { expect, test } from "vitest";
import { declaredImports } from "../rules/declared-imports.ts";
import { broken, manifest } from "./broken.ts";

const manifests = {
  "packages/store/package.json": manifest("store", {
    dependencies: { pg: "1" },
    devDependencies: { valibot: "1" },
  }),
};

test("source that imports a package its package.json does not install is refused", () => {
  const found = broken(declaredImports, {
    ...manifests,
    "packages/store/src/a.ts": 'import "pg";\nimport "valibot";',
  });
  expect(found).toEqual([
    "packages/store/src/a.ts:2 imports valibot, which packages/store/package.json does not list",
  ]);
});

test("tests may use dev dependencies and the root's tools, and nothing else", () => {
  const text = 'import "valibot";\nimport "vitest";\nimport "node:fs";\nimport "left-pad";';
  const found = broken(declaredImports, { ...manifests, "packages/store/test/a.test.ts": text });
  expect(found).toEqual([
    "packages/store/test/a.test.ts:4 imports left-pad, which packages/store/package.json does not list",
  ]);
});
