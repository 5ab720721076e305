import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { frozen } from "../reference/frozen.ts";

type Facts = Record<string, unknown>;
const committed = JSON.parse(
  readFileSync(new URL("../vectors/frozen.json", import.meta.url), "utf8"),
) as Facts;
const now = JSON.parse(JSON.stringify(frozen())) as Facts;

test.each(Object.keys(committed))("no number or shape of %s that was ever written has changed", (name) => {
  expect(now[name]).toEqual(
    typeof committed[name] === "object"
      ? expect.objectContaining(committed[name] as object)
      : committed[name],
  );
});

test("what was added since is frozen too (run conformance/reference/frozen.ts --write)", () => {
  expect(Object.keys(committed)).toEqual(Object.keys(now));
  expect(committed).toEqual(now);
});
