import { expect, test } from "vitest";
import { environment } from "../rules/environment.ts";
import { broken, manifest } from "./broken.ts";

test("reading the environment below the daemon is advice", () => {
  const files = {
    "packages/store/package.json": manifest("store"),
    "packages/store/src/a.ts": "const a = process.env.HOME;",
    "packages/daemon/package.json": manifest("daemon"),
    "packages/daemon/src/a.ts": "const a = process.argv;",
  };
  expect(broken(environment, files)).toEqual(["packages/store/src/a.ts:1 reads process.env"]);
  expect(environment.absolute).toBe(false);
});
