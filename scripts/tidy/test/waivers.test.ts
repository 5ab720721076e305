import { expect, test } from "vitest";
import { applyWaivers } from "../waivers.ts";

const finding = { rule: "no-any", file: "a.ts", line: 3, message: "uses the type any", fix: "narrow it" };
const waiver = { file: "a.ts", rule: "no-any", reason: "the parser's own type is any" };

test("a waiver covers its rule in its file and nothing else", () => {
  const elsewhere = { ...finding, file: "b.ts" };
  const otherRule = { ...finding, rule: "layers" };
  expect(applyWaivers([finding, elsewhere, otherRule], [waiver], ["no-any", "layers"])).toEqual([
    elsewhere,
    otherRule,
  ]);
});

test("a waiver without a reason, of no rule, or that covers nothing is a finding", () => {
  const messages = (one: typeof waiver): string[] =>
    applyWaivers([finding], [one], ["no-any"]).map(({ message }) => message);
  expect(messages({ ...waiver, reason: " " })).toEqual(["the waiver of no-any for a.ts gives no reason"]);
  expect(messages({ ...waiver, rule: "sizes" })).toContain(
    "the waiver of sizes for a.ts names no absolute rule",
  );
  expect(messages({ ...waiver, file: "b.ts" })).toContain("the waiver of no-any for b.ts covers nothing");
});
