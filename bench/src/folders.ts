/** Suites and result files by name. A name is checked before it becomes part of a path. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { BenchRefusal } from "./refusal.ts";
import type { BenchResult } from "./result.ts";
import type { Suite } from "./suite.ts";
import { keepingErrors } from "./validate.ts";

/** Where the harness finds things. */
export interface BenchFolders {
  /** Has `NAME.ts`, each exporting `suite`. */
  readonly suites: string;
  /** Has `NAME.json`. */
  readonly results: string;
  /** The generated page. */
  readonly docs: string;
}

function namesIn(folder: string, extension: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((file) => file.endsWith(extension));
  return names.map((file) => file.slice(0, -extension.length)).sort();
}

/** The names of all suites. */
export function suiteNames(folders: BenchFolders): readonly string[] {
  return namesIn(folders.suites, ".ts");
}

/** The names of all results. */
export function resultNames(folders: BenchFolders): readonly string[] {
  return namesIn(folders.results, ".json");
}

/** The suite called `name`. @throws {BenchRefusal} naming the ones there are. */
export async function loadSuite(folders: BenchFolders, name: string): Promise<Suite> {
  const names = suiteNames(folders);
  if (!names.includes(name)) {
    throw new BenchRefusal(`no suite is called ${JSON.stringify(name)}. There are: ${names.join(", ")}.`, 2);
  }
  const module = (await import(pathToFileURL(join(folders.suites, `${name}.ts`)).href)) as {
    readonly suite?: Suite;
  };
  if (module.suite === undefined) throw new BenchRefusal(`suites/${name}.ts exports no suite`, 1);
  return module.suite;
}

/** The kept result called `name`. @throws {BenchRefusal} when there is none or it is not a result. */
export function readResult(folders: BenchFolders, name: string): BenchResult {
  const names = resultNames(folders);
  if (!names.includes(name)) {
    const known = names.length === 0 ? "There is no result yet." : `There are: ${names.join(", ")}.`;
    throw new BenchRefusal(`no result is called ${JSON.stringify(name)}. ${known}`, 2);
  }
  const result = parseResult(readFileSync(join(folders.results, `${name}.json`), "utf8"), name);
  if (result.name !== name) throw new BenchRefusal(`results/${name}.json is a result of ${result.name}`, 1);
  return result;
}

function parseResult(text: string, name: string): BenchResult {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new BenchRefusal(`results/${name}.json is not JSON`, 1);
  }
  const errors = keepingErrors(value);
  if (errors.length > 0)
    throw new BenchRefusal(`results/${name}.json is not a result: ${errors.join("; ")}`, 1);
  return value as BenchResult;
}

/** Keep a result. @throws {BenchRefusal} saying why it may not be kept. */
export function writeResult(folders: BenchFolders, result: BenchResult): string {
  const errors = keepingErrors(result);
  if (errors.length > 0) throw new BenchRefusal(`the run is not kept: ${errors.join("; ")}`, 1);
  mkdirSync(folders.results, { recursive: true });
  const path = join(folders.results, `${result.name}.json`);
  writeFileSync(`${path}.part`, resultText(result));
  renameSync(`${path}.part`, path);
  return path;
}

/** The text of a result file: one line per row, so that a difference between two runs can be read. */
export function resultText(result: BenchResult): string {
  const { rows, ...head } = result;
  const lines = Object.entries(head).map(
    ([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`,
  );
  const rowLines = rows.map((row) => `    ${JSON.stringify(row)}`).join(",\n");
  return `{\n${lines.join("")}  "rows": [\n${rowLines}\n  ]\n}\n`;
}
