/**
 * `node scripts/breaks/main.ts [NAME...] [--all] [--sample N] [--seed TEXT] [--root DIR] [--check]`: proves that breaks are noticed.
 * Without a name it takes a sample of 2. The seed of a sample is the commit unless it is given; it is printed, and the same seed
 * takes the same sample. `--check` reads all break files and looks whether each patch applies, and runs nothing.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseClaims } from "../claims/claims.ts";
import { repositoryRoot } from "../workspace/packages.ts";
import { misfit } from "./applies.ts";
import { type Break, parseBreak, sample } from "./break.ts";
import { prove } from "./prove.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: "boolean" },
    sample: { type: "string", default: "2" },
    seed: { type: "string" },
    root: { type: "string" },
    check: { type: "boolean" },
  },
});
const root = values.root ?? repositoryRoot;
const folder = join(root, "conformance/breaks");
const names = existsSync(folder)
  ? readdirSync(folder)
      .filter((file) => file.endsWith(".patch"))
      .map((file) => file.slice(0, -6))
  : [];
names.sort();

const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no such break: ${unknown.join(", ")}. There are: ${names.join(", ")}`);
  process.exit(2);
}

const claimIds = new Set(claims());
const read = names.map((name) => parseBreak(name, readFileSync(join(folder, `${name}.patch`), "utf8")));
const problems = read.flatMap((one) => ("problem" in one ? [one.problem] : claimProblem(one)));
if (values.check === true) problems.push(...read.flatMap(staleProblem));
for (const problem of problems) console.error(`conformance/breaks: ${problem}`);
const breaks = read.filter((one): one is Break => !("problem" in one));

let noticed = 0;
const chosen = values.check === true ? [] : choose();
for (const one of chosen) {
  const result = await prove(root, one);
  if (result.noticed) noticed += 1;
  const word = result.noticed ? "noticed" : "NOT NOTICED";
  console.log(
    `${one.name}: ${word}: ${one.summary}\n  test: ${one.testFile} > ${one.testTitle}\n  ${result.why}`,
  );
}
const missed = chosen.length - noticed + problems.length;
console.log(`breaks: ${names.length} there, ${noticed} noticed, ${missed} failed`);
console.log(`counts: ${noticed} passed, ${missed} failed`);
process.exitCode = missed === 0 ? 0 : 1;

function choose(): Break[] {
  if (positionals.length > 0) return breaks.filter(({ name }) => positionals.includes(name));
  if (values.all === true) return breaks;
  const seed = values.seed ?? commit();
  const picked = sample(
    breaks.map(({ name }) => name),
    Number(values.sample),
    seed,
  );
  console.log(
    `sample of ${picked.length} by seed ${seed}: ${picked.join(", ") || "nothing to take"} (again: --seed ${seed})`,
  );
  return breaks.filter(({ name }) => picked.includes(name));
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short=12", "HEAD"], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "0";
  }
}

function claims(): string[] {
  const page = join(root, "docs/claims.md");
  return existsSync(page) ? parseClaims(readFileSync(page, "utf8")).claims.map(({ id }) => id) : [];
}

function claimProblem({ name, claim }: Break): string[] {
  return claimIds.has(claim) ? [] : [`${name} names the claim ${claim}, which docs/claims.md does not have`];
}

function staleProblem(one: Break | { readonly problem: string }): string[] {
  const said = "problem" in one ? undefined : misfit(root, one);
  return said === undefined || "problem" in one
    ? []
    : [`${one.name} does not apply; make it again:\n${said}`];
}
