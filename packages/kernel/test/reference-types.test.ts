import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";

test("what reference capabilities forbid does not compile, and what they allow does", () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const project = join(import.meta.dirname, "types/tsconfig.json");
  let found = "";
  try {
    execFileSync(process.execPath, [tsc, "-p", project, "--noEmit"], { encoding: "utf8" });
  } catch (error) {
    found = String((error as { stdout?: string }).stdout ?? error);
  }
  expect(found).toBe("");
});
