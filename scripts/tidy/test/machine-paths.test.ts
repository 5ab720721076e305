import { expect, test } from "vitest";
import { machinePaths } from "../rules/machine-paths.ts";
import { broken } from "./broken.ts";

test.each(["see /home/ann/glia", "/Users/ann/x", '"/root/.npmrc"', "C:\\Users\\ann"])(
  "%s is refused",
  (text) => {
    expect(broken(machinePaths, { "docs/a.md": `\n${text}` })[0]).toMatch(
      /^docs\/a.md:2 names the machine path /,
    );
  },
);

test.each([
  "https://example.org/home/page",
  "packages/x/work/a",
  "./root/a",
  "$DIR/home/x",
  "/homework/x",
  "/proc/self",
])("%s passes", (text) => {
  expect(broken(machinePaths, { "docs/a.md": text })).toEqual([]);
});
