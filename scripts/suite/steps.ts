/**
 * Runs the steps of the test command one after the other and adds up what they count.
 *
 * S1. A failed step does not stop the others, unless it is one that the rest needs; then the rest is listed as not run.
 * S2. A step that fails counts at least one failure, and one that passes without counting anything counts as one test.
 */
import { type ChildOptions, runChild } from "../workspace/children.ts";
import { type Counts, countsIn } from "./outcomes.ts";

/** How a step ended. `notes` and `failures` are shown again in the summary. */
export interface StepResult extends Counts {
  readonly notes?: readonly string[];
  /** What failed, a line each. */
  readonly failures?: readonly string[];
}

/** A step of the test command. */
export interface Step {
  readonly name: string;
  /** The rest cannot run when this step fails. */
  readonly needed?: boolean;
  run(): Promise<StepResult>;
}

/** What a whole run came to. */
export interface RunResult {
  readonly total: Counts;
  /** A line per step. */
  readonly lines: readonly string[];
  readonly notes: readonly string[];
  /** What failed, a line each, with the step in front. */
  readonly failures: readonly string[];
}

/** Runs all steps; `print` gets a heading before each. */
export async function runSteps(steps: readonly Step[], print: (line: string) => void): Promise<RunResult> {
  const results: { name: string; seconds: number; result: StepResult }[] = [];
  const notRun: string[] = [];
  for (const [index, step] of steps.entries()) {
    print(`\n== ${index + 1}/${steps.length} ${step.name}`);
    const started = performance.now();
    const result = await step.run();
    const seconds = (performance.now() - started) / 1000;
    results.push({ name: step.name, seconds, result });
    print(`== ${result.failed === 0 ? "ok" : "FAILED"} ${step.name} in ${seconds.toFixed(1)} s`);
    if (result.failed === 0 || step.needed !== true) continue;
    notRun.push(...steps.slice(index + 1).map(({ name }) => name));
    break;
  }
  const sum = (key: keyof Counts): number => results.reduce((total, { result }) => total + result[key], 0);
  return {
    total: { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") },
    lines: [...results.map(stepLine), ...notRun.map((name) => `  not run  ${name}`)],
    notes: results.flatMap(({ result }) => result.notes ?? []),
    failures: results.flatMap(({ name, result }) =>
      (result.failures ?? []).map((failure) => `${name}: ${failure}`),
    ),
  };
}

/** A step that is a command: quiet when it passes except for its last line, with all its output when it fails. */
export function command(
  name: string,
  args: readonly string[],
  options: ChildOptions & { needed?: boolean } = {},
): Step {
  const { needed, ...childOptions } = options;
  return {
    name,
    needed: needed === true,
    async run() {
      const { code, stdout, stderr } = await runChild(process.execPath, args, childOptions);
      const counted = countsIn(stdout) ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 };
      const shown = `${stdout}${stderr}`.replaceAll(/^counts: .*\n/gm, "").trimEnd();
      if (shown !== "") console.log(code === 0 ? shown.split("\n").slice(-3).join("\n") : shown);
      if (code === 0) return counted;
      const failures = shown
        .split("\n")
        .slice(-3)
        .filter((line) => line !== "");
      return { ...counted, failed: Math.max(1, counted.failed), failures };
    },
  };
}

/** The last line of the test command. */
export function totalLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function stepLine({ name, seconds, result }: { name: string; seconds: number; result: StepResult }): string {
  const word = result.failed === 0 ? "ok    " : "FAILED";
  return `  ${word}  ${name}: ${totalLine(result)} (${seconds.toFixed(1)} s)`;
}
