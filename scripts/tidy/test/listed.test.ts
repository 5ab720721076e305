import { expect, test } from "vitest";
import { listed } from "../rules/listed.ts";
import { broken } from "./broken.ts";

const catalog =
  'packages:\n  - packages/*\n\ncatalog:\n  "@types/one": 1.0.0\n  two: 2.0.0\n\noverrides:\n  three: 3.0.0\n';
const page = "| package | why |\n|---|---|\n| `two` | it is needed |\n\n`@types/one` is an optional peer.\n";

test("LI1: a version of the catalog that the list of dependencies does not name is refused", () => {
  const files = { "pnpm-workspace.yaml": catalog, "docs/dependencies.md": page };
  expect(broken(listed, files)).toEqual([]);
  const without = { ...files, "docs/dependencies.md": page.replace("`@types/one`", "one") };
  expect(broken(listed, without)).toEqual([
    "pnpm-workspace.yaml:5 @types/one is not in docs/dependencies.md",
  ]);
});

test("LI1: a row of a package that is in no catalog any more is refused", () => {
  const row = page.replace("| `two` |", "| `two`, `four` |");
  const files = { "pnpm-workspace.yaml": catalog, "docs/dependencies.md": row };
  expect(broken(listed, files)).toEqual(["docs/dependencies.md:3 four is not in the catalog"]);
});

test("LI2: a page of the specification that its index does not link is refused", () => {
  const files = { "docs/spec/README.md": "[a](a.md)", "docs/spec/a.md": "", "docs/spec/b.md": "" };
  expect(broken(listed, files)).toEqual(["docs/spec/b.md:1 is not in docs/spec/README.md"]);
});
