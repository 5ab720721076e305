/** `node main.ts [--seed N] [--seeds N] [--json]`: the table of scenarios at one seed, and then counts over many seeds. */
import { parseArgs } from "node:util";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { type Surveyed, survey, surveyTwice } from "./survey.ts";

/** One line of the table, as data. */
export interface Line {
  readonly scenario: string;
  readonly threshold: string;
  readonly needed: number;
  readonly outcome: string;
  readonly answer: string;
  readonly votes: string;
  readonly absent: number;
  readonly twoFaced: number;
  readonly tookMs: number;
}

/** A survey as a line. */
export function lineOf(scenario: Scenario, { result, tookMs }: Surveyed): Line {
  const yes = result.votes.filter(({ answer }) => answer).length;
  return {
    scenario: scenario.name,
    threshold: String(scenario.threshold),
    needed: result.needed,
    outcome: result.outcome,
    answer: result.answer === undefined ? "-" : result.answer ? "yes" : "no",
    votes: `${yes}:${result.votes.length - yes}`,
    absent: result.abstentions.length + result.silent.length,
    twoFaced: result.equivocations.length,
    tookMs: Math.round(tookMs),
  };
}

/** The table as text. */
export function tableOf(lines: readonly Line[]): string {
  const heads = [
    "scenario",
    "threshold",
    "needed",
    "outcome",
    "answer",
    "yes:no",
    "absent",
    "two-faced",
    "ms",
  ];
  const rows = [heads, ...lines.map((line) => Object.values(line).map(String))];
  const widths = heads.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** How many of many seeds ended as the scenario says, and in how many an untrue answer was reached. */
export async function countedOver(
  scenario: Scenario,
  seeds: number,
): Promise<{ readonly asExpected: number; readonly untrue: number }> {
  let [asExpected, untrue] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const { result } = await survey(scenario, seed);
    if (result.outcome === scenario.expected) asExpected++;
    if (result.answer === false) untrue++;
  }
  return { asExpected, untrue };
}

const USAGE = "usage: node main.ts [--seed N] [--seeds N] [--json]";

/** What the command line asks for; undefined where it does not say it rightly. */
function asked(args: readonly string[]) {
  const options = {
    seed: { type: "string", default: "1" },
    seeds: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
  } as const;
  try {
    const { values } = parseArgs({ args: [...args], options });
    const [seed, seeds] = [Number(values.seed), Number(values.seeds)];
    if (!Number.isSafeInteger(seed) || !Number.isInteger(seeds) || seeds < 0 || seeds > 100_000)
      return undefined;
    return { seed, seeds, json: values.json };
  } catch {
    return undefined;
  }
}

async function main(seed: number, seeds: number, json: boolean): Promise<void> {
  const lines: Line[] = [];
  for (const scenario of SCENARIOS) lines.push(lineOf(scenario, await survey(scenario, seed)));
  const twoFaced: Scenario = {
    name: "two surveys",
    faulty: { "two-faced": 2 },
    threshold: "unanimous",
    expected: "impossible",
  };
  const { found } = await surveyTwice(twoFaced, seed);
  const counts = [];
  for (const scenario of seeds === 0 ? [] : SCENARIOS)
    counts.push({
      scenario: scenario.name,
      threshold: String(scenario.threshold),
      ...(await countedOver(scenario, seeds)),
    });
  if (json) {
    console.log(
      JSON.stringify({ seed, lines, contradictionsBetweenTwoSurveys: found.length, seeds, counts }, null, 2),
    );
    return;
  }
  console.log(`Ten simulated nodes with a voter each, on virtual time; seed ${seed}.\n`);
  console.log(tableOf(lines));
  console.log(
    `\nTwo surveys at once, with two two-faced voters among the ten: ${found.length} of them found by comparison.`,
  );
  if (seeds > 0) {
    const good = counts.reduce((sum, { asExpected }) => sum + asExpected, 0);
    const untrue = counts.reduce((sum, one) => sum + one.untrue, 0);
    console.log(
      `Seeds 1 to ${seeds} of every line: ${good} of ${seeds * counts.length} ended as expected, ${untrue} reached an untrue answer.`,
    );
  }
}

if (import.meta.main) {
  const wish = asked(process.argv.slice(2));
  if (wish === undefined) {
    console.error(USAGE);
    process.exitCode = 2;
  } else await main(wish.seed, wish.seeds, wish.json);
}
