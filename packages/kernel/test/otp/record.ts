/**
 * Records what OTP's supervisor does: `node --conditions=@glia-os/source packages/kernel/test/otp/record.ts` draws random scenarios, runs
 * them on the installed Erlang (`erlang-base`) and writes recorded.json. Scenarios in which two things happen so close together that real
 * time decides the order are left out.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SeededRandom } from "@glia-os/kernel/testing";
import { type Course, runScenario, type Scenario } from "./scenario.ts";

const COUNT = 80;
const STEP_MS = 40;
const PERIOD_MS = 1000;
const random = new SeededRandom("otp");

function pick<Value>(values: readonly Value[]): Value {
  return values[random.uint32() % values.length]!;
}

function draw(): Scenario {
  const autoShutdown = pick(["never", "never", "any_significant", "all_significant"] as const);
  const children = ["a", "b", "c", "d"].slice(0, 1 + (random.uint32() % 4)).map((id) => {
    const restart = pick(["permanent", "permanent", "transient", "temporary"] as const);
    return {
      id,
      restart,
      significant: autoShutdown !== "never" && restart !== "permanent" && pick([true, false]),
      lives: Array.from({ length: random.uint32() % 4 }, () => ({
        ms: STEP_MS * (1 + (random.uint32() % 20)),
        end: pick(["crash", "crash", "return", "shutdown"] as const),
      })),
    };
  });
  const strategy = pick(["one_for_one", "one_for_all", "rest_for_one"] as const);
  return {
    strategy,
    intensity: random.uint32() % 4,
    periodMs: PERIOD_MS,
    autoShutdown,
    children,
    runMs: 1990,
  };
}

/** Whether real time cannot change the order: moments are the same instant's consequences or a step apart, and none near the period. */
function isClear(scenario: Scenario): boolean {
  const { log, times } = runScenario(scenario);
  const moments = [...new Set(times)].sort((x, y) => x - y);
  // Two children that end by themselves at one moment, in whatever order: the second end in a row that no start or stop explains.
  for (const moment of moments.slice(1)) {
    const ends = log.filter((event, i) => times[i] === moment && event.startsWith("-"));
    const own = scenario.children.filter(
      ({ id }) => ends.includes(`-${id}`) && endsItself(scenario, id, moment, log, times),
    );
    if (own.length > 1) return false;
  }
  return moments.every((a) => moments.every((b) => Math.abs(Math.abs(a - b) - PERIOD_MS) > STEP_MS / 2));
}

function endsItself(
  scenario: Scenario,
  id: string,
  moment: number,
  log: readonly string[],
  times: readonly number[],
): boolean {
  const starts = times.filter((at, i) => log[i] === `+${id}` && at < moment);
  const life = scenario.children.find((child) => child.id === id)!.lives[starts.length - 1];
  return life !== undefined && starts.at(-1)! + life.ms === moment;
}

function term({ strategy, intensity, periodMs, autoShutdown, children, runMs }: Scenario): string {
  const specs = children.map(({ id, restart, significant, lives }) => {
    const turns = lives.map(({ ms, end }) => `{${ms},${end}}`);
    return `{${id},${restart},${significant},[${turns.join(",")}]}`;
  });
  return `{${strategy},${intensity},${periodMs / 1000},${autoShutdown},[${specs.join(",")}],${runMs}}.\n`;
}

const scenarios: Scenario[] = [];
while (scenarios.length < COUNT) {
  const scenario = draw();
  if (isClear(scenario)) scenarios.push(scenario);
}
const folder = mkdtempSync(join(tmpdir(), "otp-"));
writeFileSync(join(folder, "scenarios.config"), scenarios.map(term).join(""));
copyFileSync(new URL("otp_course.erl", import.meta.url), join(folder, "otp_course.erl"));
const at = { cwd: folder, encoding: "utf8" } as const;
execFileSync("erlc", ["otp_course.erl"], at);
const release = execFileSync(
  "erl",
  ["-noshell", "-eval", "io:format(erlang:system_info(otp_release)),halt()."],
  at,
);
const lines = execFileSync(
  "erl",
  ["+S", "1", "-noshell", "-run", "otp_course", "main", "scenarios.config"],
  at,
);
const courses = lines
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Course);
rmSync(folder, { recursive: true });
const records = scenarios.map((scenario, i) => JSON.stringify({ scenario, course: courses[i] }));
writeFileSync(
  new URL("recorded.json", import.meta.url),
  `{"otp":"${release}","records":[\n${records.join(",\n")}\n]}\n`,
);
