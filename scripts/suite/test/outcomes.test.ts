import { expect, test } from "vitest";
import {
  countReport,
  countsIn,
  failureLines,
  readReport,
  skippedByReason,
  type TestOutcome,
} from "../outcomes.ts";

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

test("failures are named a line each with what the first error says, cut, and a long list says how many more there are", () => {
  const report = {
    outcomes: [
      outcome("passed"),
      outcome("failed", "one", "expected 1\n  to be 2"),
      outcome("failed", "two", "x".repeat(500)),
    ],
    broken: ["b.test.ts: does not load"],
  };
  const [first, second, third] = failureLines(report);
  expect(first).toBe("a.test.ts > one: expected 1 to be 2");
  expect(second).toHaveLength(200);
  expect(third).toBe("b.test.ts: does not load");
  expect(failureLines(report, 1)).toEqual([first, "and 2 more"]);
});
