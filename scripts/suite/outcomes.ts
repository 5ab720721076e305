/** What a run of the tests reported, as the reporter writes it and the scripts read it. */
import { readFileSync } from "node:fs";

/** One test. `file` is relative to the root of the repository; `name` has the titles around it. */
export interface TestOutcome {
  readonly file: string;
  readonly name: string;
  readonly state: "passed" | "failed" | "skipped";
  /** Why it was skipped, where the test said so; what the first error of a failed one says. */
  readonly reason?: string;
}

/** A run: its tests, and what failed outside any test, such as a file that does not load. */
export interface Report {
  readonly outcomes: readonly TestOutcome[];
  readonly broken: readonly string[];
}

/** How many passed, failed and were skipped. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Reads a report; undefined when the run ended before it could write one. */
export function readReport(path: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch {
    return undefined;
  }
}

/** Counts a report; what broke outside a test counts as a failure. */
export function countReport({ outcomes, broken }: Report): Counts {
  const count = (state: TestOutcome["state"]): number => outcomes.filter((one) => one.state === state).length;
  return { passed: count("passed"), failed: count("failed") + broken.length, skipped: count("skipped") };
}

/** The last `counts: N passed, N failed[, N skipped]` a step printed, if it did. */
export function countsIn(output: string): Counts | undefined {
  const found = [...output.matchAll(/^counts: (\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(-1);
  return found && { passed: Number(found[1]), failed: Number(found[2]), skipped: Number(found[3] ?? 0) };
}

/** Skipped tests by reason: each reason with the files and how many of their tests it keeps from running. */
export function skippedByReason(outcomes: readonly TestOutcome[]): string[] {
  const skipped = outcomes.filter(({ state }) => state === "skipped");
  const groups = Map.groupBy(
    skipped,
    ({ file, name, reason }) => `${reason ?? needsIn(name) ?? "no reason given"}\n${file}`,
  );
  return [...groups].map(([key, tests]) => {
    const [reason, file] = key.split("\n");
    return `${tests.length} skipped in ${file}: ${reason}`;
  });
}

/** Failures as lines for the end of a run, where whoever sees nothing else sees them: at most `limit`, each cut at 200 characters. */
export function failureLines({ outcomes, broken }: Report, limit = 20): string[] {
  const failed = outcomes.filter(({ state }) => state === "failed");
  const lines = [
    ...failed.map(({ file, name, reason }) => `${file} > ${name}: ${reason ?? "no error given"}`),
    ...broken,
  ].map((line) => line.replaceAll(/\s+/g, " ").slice(0, 200));
  const more = lines.length - limit;
  return more > 0 ? [...lines.slice(0, limit), `and ${more} more`] : lines;
}

/** "(needs etcd-server)" or "(skipped where strace is not installed)" in a title. */
function needsIn(name: string): string | undefined {
  return /(needs|skipped (where|on|unless|without)) [^)>]+/.exec(name)?.[0].trim();
}
