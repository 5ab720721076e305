/**
 * `pnpm tidy [RULE...] [--advice] [--root DIR]`: checks the repository against the absolute rules and exits 1 when one is broken.
 * Advice is counted, and printed with `--advice`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repositoryRoot } from "../workspace/packages.ts";
import { rules } from "./rules/index.ts";
import { repositoryTree } from "./tree.ts";
import { applyWaivers, type Ruled, type Waiver, waiversFile } from "./waivers.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { advice: { type: "boolean" }, root: { type: "string" } },
});

const unknown = positionals.filter((name) => !rules.some((rule) => rule.name === name));
if (unknown.length > 0) {
  console.error(
    `no such rule: ${unknown.join(", ")}. There are: ${rules.map(({ name }) => name).join(", ")}`,
  );
  process.exit(2);
}

const root = values.root ?? repositoryRoot;
const tree = repositoryTree(root);
const wanted = rules.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const all = wanted.flatMap((rule) =>
  rule.check(tree).map((finding) => ({ ...finding, rule: rule.name, absolute: rule.absolute })),
);
const advice = all.filter(({ absolute }) => !absolute);
const waivers = tree.has(waiversFile)
  ? (JSON.parse(readFileSync(join(root, waiversFile), "utf8")) as Waiver[])
  : [];
const absolute = wanted.filter((rule) => rule.absolute).map(({ name }) => name);
const relevant = positionals.length === 0 ? waivers : waivers.filter(({ rule }) => absolute.includes(rule));
const broken = applyWaivers(
  all.filter((finding) => finding.absolute),
  relevant,
  absolute,
);

function line({ file, line, rule, message, fix }: Ruled): string {
  return `${file}:${line} ${rule}: ${message}. Do this: ${fix}.`;
}

if (values.advice === true) for (const finding of advice) console.log(`advice: ${line(finding)}`);
for (const finding of broken) console.error(line(finding));
const hint = advice.length > 0 && values.advice !== true ? " (pnpm tidy --advice shows it)" : "";
console.log(
  `tidy: ${absolute.length} rules over ${tree.paths.length} files: ${broken.length} broken, ` +
    `${waivers.length} waived, advice on ${advice.length} places${hint}`,
);
const failed = new Set(broken.map(({ rule }) => rule)).size;
console.log(`counts: ${Math.max(0, absolute.length - failed)} passed, ${failed} failed`);
process.exitCode = broken.length === 0 ? 0 : 1;
