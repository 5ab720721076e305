import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Course, runScenario, type Scenario } from "./otp/scenario.ts";

const { records } = JSON.parse(readFileSync(new URL("otp/recorded.json", import.meta.url), "utf8")) as {
  records: { scenario: Scenario; course: Course }[];
};

test("random supervision scenarios take the course that OTP's own supervisor took (test/otp/record.ts records it)", () => {
  expect(records.length).toBeGreaterThanOrEqual(50);
  // Not a set of scenarios in which nothing happens.
  expect(records.filter(({ course }) => course.gaveUp).length).toBeGreaterThan(10);
  expect(records.filter(({ course }) => !course.gaveUp).length).toBeGreaterThan(10);
  for (const [i, { scenario, course }] of records.entries()) {
    const { log, gaveUp } = runScenario(scenario);
    expect({ log, gaveUp }, `scenario ${i}: ${JSON.stringify(scenario)}`).toEqual(course);
  }
});
