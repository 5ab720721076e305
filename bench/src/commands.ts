/** The commands behind `pnpm bench`. Each returns the exit code: 0 good, 1 something falls short or a run is not good, 2 bad command line. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type BenchFolders, loadSuite, readResult, resultNames, suiteNames, writeResult } from "./folders.ts";
import { FULL, QUICK } from "./measure.ts";
import { missingPeers, shortfalls } from "./met.ts";
import { benchmarksPage, tableOf } from "./page.ts";
import { BenchRefusal } from "./refusal.ts";
import { runSuite } from "./run.ts";
import { resultErrors } from "./validate.ts";

/** Where output goes. */
export interface Terminal {
  /** Results. */
  readonly out: (text: string) => void;
  /** Progress and refusals. */
  readonly err: (text: string) => void;
}

const USAGE = `usage: pnpm bench NAME [--quick] [--json]   run a suite; a full run is kept in bench/results
       pnpm bench check [NAME] [--strict]   recompute which targets are met; --strict exits 1 when one is not
       pnpm bench list                      name the suites
       pnpm bench docs                      write docs/benchmarks.md from bench/results`;

const OPTIONS = {
  quick: { type: "boolean" },
  json: { type: "boolean" },
  strict: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

type Flag = keyof typeof OPTIONS;

/** Run one command line. */
export async function bench(
  args: readonly string[],
  folders: BenchFolders,
  terminal: Terminal,
): Promise<number> {
  try {
    return await dispatch(args, folders, terminal);
  } catch (error) {
    if (!(error instanceof BenchRefusal)) throw error;
    terminal.err(`bench: ${error.message}`);
    return error.exitCode;
  }
}

async function dispatch(args: readonly string[], folders: BenchFolders, terminal: Terminal): Promise<number> {
  const { flags, words } = parse(args);
  if (flags.has("help")) {
    terminal.out(USAGE);
    return 0;
  }
  const [first, ...rest] = words;
  if (first === undefined)
    throw new BenchRefusal(`name a suite (${suiteNames(folders).join(", ")}) or a command.\n${USAGE}`, 2);
  if (first === "check") return check(rest, only(flags, ["strict"]), folders, terminal);
  if (rest.length > 0)
    throw new BenchRefusal(`${JSON.stringify(rest[0])} is one word too many.\n${USAGE}`, 2);
  if (first === "list") return list(only(flags, []), folders, terminal);
  if (first === "docs") return docs(only(flags, []), folders, terminal);
  return run(first, only(flags, ["quick", "json"]), folders, terminal);
}

function parse(args: readonly string[]): {
  readonly flags: ReadonlySet<Flag>;
  readonly words: readonly string[];
} {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
    return { flags: new Set(Object.keys(values) as Flag[]), words: positionals };
  } catch (error) {
    throw new BenchRefusal(`${(error as Error).message}\n${USAGE}`, 2);
  }
}

function only(flags: ReadonlySet<Flag>, allowed: readonly Flag[]): ReadonlySet<Flag> {
  for (const flag of flags) {
    if (!allowed.includes(flag))
      throw new BenchRefusal(`--${flag} does not belong to this command.\n${USAGE}`, 2);
  }
  return flags;
}

async function run(
  name: string,
  flags: ReadonlySet<Flag>,
  folders: BenchFolders,
  terminal: Terminal,
): Promise<number> {
  const suite = await loadSuite(folders, name);
  const quick = flags.has("quick");
  const report = (line: string): void => terminal.err(`bench ${name}: ${line}`);
  const result = await runSuite(name, suite, {
    effort: quick ? QUICK : FULL,
    quick,
    tree: folders.suites,
    report,
  });
  const errors = resultErrors(result);
  if (errors.length > 0) throw new BenchRefusal(`the run made no result: ${errors.join("; ")}`, 1);
  terminal.out(flags.has("json") ? JSON.stringify(result) : tableOf(result));
  if (quick) terminal.err(`bench ${name}: a quick run is not kept`);
  else
    terminal.err(
      `bench ${name}: kept in ${writeResult(folders, result)}; pnpm bench docs writes it into the page`,
    );
  return 0;
}

function check(
  words: readonly string[],
  flags: ReadonlySet<Flag>,
  folders: BenchFolders,
  terminal: Terminal,
): number {
  if (words.length > 1)
    throw new BenchRefusal(`${JSON.stringify(words[1])} is one word too many.\n${USAGE}`, 2);
  const names = words.length === 1 ? words : resultNames(folders);
  let short = 0;
  let judged = 0;
  for (const name of names) {
    for (const row of readResult(folders, name).rows) {
      const found = shortfalls(row);
      const missing = missingPeers(row);
      if (found.length > 0) short += 1;
      else if (row.met === true) judged += 1;
      for (const sentence of found) terminal.out(`${name}/${row.id}: falls short: ${sentence}`);
      if (missing.length > 0) terminal.out(`${name}/${row.id}: not judged: ${missing.join(", ")} missing`);
    }
  }
  terminal.out(`${names.length} results, ${judged} targets met, ${short} rows fall short`);
  return flags.has("strict") && short > 0 ? 1 : 0;
}

async function list(_flags: ReadonlySet<Flag>, folders: BenchFolders, terminal: Terminal): Promise<number> {
  const kept = resultNames(folders);
  for (const name of suiteNames(folders)) {
    const suite = await loadSuite(folders, name);
    const last = kept.includes(name)
      ? `last result ${readResult(folders, name).date.slice(0, 10)}`
      : "no result";
    terminal.out(`${name}: ${suite.title} (${suite.rows.length} rows, ${last})`);
  }
  return 0;
}

function docs(_flags: ReadonlySet<Flag>, folders: BenchFolders, terminal: Terminal): number {
  writeFileSync(folders.docs, currentPage(folders));
  terminal.out(`wrote ${folders.docs}`);
  return 0;
}

/** The page that the kept results make. */
export function currentPage(folders: BenchFolders): string {
  return benchmarksPage(resultNames(folders).map((name) => readResult(folders, name)));
}
