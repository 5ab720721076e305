/** A vitest reporter that writes every test's outcome, with the reason of a skip, to the file GLIA_TEST_REPORT names. */
import { writeFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { repositoryRoot } from "../workspace/packages.ts";
import type { Report, TestOutcome } from "./outcomes.ts";

export default class OutcomeReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly { message?: string }[]): void {
    const path = process.env["GLIA_TEST_REPORT"];
    if (path === undefined) return;
    const report: Report = {
      outcomes: modules.flatMap((unit) =>
        [...unit.children.allTests()].map((test) => outcomeOf(test, fileOf(unit))),
      ),
      broken: [
        ...modules.flatMap(brokenIn),
        ...unhandled.map(({ message }) => `outside any test: ${message ?? "unknown error"}`),
      ],
    };
    writeFileSync(path, JSON.stringify(report));
  }
}

function outcomeOf(test: TestCase, file: string): TestOutcome {
  const result = test.result();
  const outcome = { file, name: test.fullName };
  // A test that is still pending at the end of a run did not pass.
  if (result.state === "pending") return { ...outcome, state: "failed" };
  const reason = result.state === "skipped" ? result.note : result.errors?.[0]?.message;
  return { ...outcome, state: result.state, ...(reason === undefined ? {} : { reason }) };
}

/** Files that did not load, and suites whose hooks failed. */
function brokenIn(unit: TestModule): string[] {
  const suites = [unit, ...unit.children.allSuites()];
  return suites.flatMap((suite) => suite.errors().map(({ message }) => `${fileOf(unit)}: ${message}`));
}

function fileOf(unit: TestModule): string {
  return relative(repositoryRoot, unit.moduleId).replaceAll("\\", "/");
}
