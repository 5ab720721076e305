import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { errorsPage } from "../scripts/print-errors.ts";

test("docs/spec/errors.md is what the code table prints (run print-errors.ts --write)", () => {
  const committed = readFileSync(new URL("../../../docs/spec/errors.md", import.meta.url), "utf8");
  expect(committed).toBe(errorsPage());
});
