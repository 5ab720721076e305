import { expect, test } from "vitest";
import { countReport, countsIn, readReport, skippedByReason, type TestOutcome } from "../outcomes.ts";

const outcome = (state: TestOutcome["state"], name = "a", reason?: string): TestOutcome => ({
  file: "a.test.ts",
  name,
  state,
  ...(reason === undefined ? {} : { reason }),
});

test("what broke outside a test counts as a failure", () => {
  const outcomes = [outcome("passed"), outcome("passed"), outcome("failed"), outcome("skipped")];
  expect(countReport({ outcomes, broken: ["b.test.ts does not load"] })).toEqual({
    passed: 2,
    failed: 2,
    skipped: 1,
  });
});

test("the last counts line of a step is the one that holds, and only a whole line", () => {
  expect(countsIn("counts: 1 passed, 0 failed\nx\ncounts: 2 passed, 1 failed, 3 skipped\n")).toEqual({
    passed: 2,
    failed: 1,
    skipped: 3,
  });
  expect(countsIn("the counts: 1 passed, 0 failed")).toBeUndefined();
});

test("skips are listed by reason and file, with the need in the title where no reason was given", () => {
  const skipped = [
    outcome("skipped", "one", "no etcd"),
    outcome("skipped", "two", "no etcd"),
    outcome("skipped", "on a server (needs postgresql) > three"),
    outcome("skipped", "four"),
    outcome("passed", "five"),
  ];
  expect(skippedByReason(skipped)).toEqual([
    "2 skipped in a.test.ts: no etcd",
    "1 skipped in a.test.ts: needs postgresql",
    "1 skipped in a.test.ts: no reason given",
  ]);
});

test("a report that is not there is undefined", () => {
  expect(readReport("no/such/report.json")).toBeUndefined();
});
