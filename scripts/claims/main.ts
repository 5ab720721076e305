/**
 * `node scripts/claims/main.ts [--write] [--outcomes FILE] [--root DIR]`: checks docs/claims.md and the status table of README.md.
 * `--write` brings the table up to date; `--outcomes` also judges the proofs by a run's report (scripts/suite/reporter.ts).
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readReport } from "../suite/outcomes.ts";
import { repositoryRoot } from "../workspace/packages.ts";
import { parseClaims } from "./claims.ts";
import { judgeOutcomes, missingProofs } from "./proofs.ts";
import { withStatusTable } from "./status-table.ts";

const { values } = parseArgs({
  options: { write: { type: "boolean" }, outcomes: { type: "string" }, root: { type: "string" } },
});
const root = values.root ?? repositoryRoot;
const page = "docs/claims.md";
const wrong: string[] = [];

const { claims, problems } = parseClaims(readFileSync(join(root, page), "utf8"));
for (const { line, message } of [...problems, ...missingProofs(root, claims)])
  wrong.push(`${page}:${line} ${message}`);
checkReadme();
if (values.outcomes !== undefined) {
  const report = readReport(values.outcomes);
  if (report === undefined) console.log("the proofs were not judged: no run of the tests left a report");
  const judged = judgeOutcomes(report === undefined ? [] : claims, report?.outcomes ?? []);
  for (const { line, message } of judged.problems) wrong.push(`${page}:${line} ${message}`);
  for (const remark of judged.skipped) console.log(`not proved in this run: ${remark}`);
}
for (const line of wrong) console.error(line);
console.log(
  `claims: ${claims.length} rows, ${claims.filter(({ status }) => status === "works").length} work, ${wrong.length} wrong`,
);
process.exitCode = wrong.length === 0 ? 0 : 1;

function checkReadme(): void {
  const path = join(root, "README.md");
  if (!existsSync(path)) {
    wrong.push("README.md:1 does not exist, so it has no status table");
    return;
  }
  const readme = readFileSync(path, "utf8");
  const fresh = withStatusTable(readme, claims);
  if (typeof fresh !== "string") wrong.push(`README.md:1 ${fresh.problem}`);
  else if (fresh !== readme && values.write === true) writeFileSync(path, fresh);
  else if (fresh !== readme) {
    wrong.push("README.md:1 the status table is stale. Do this: node scripts/claims/main.ts --write");
  }
}
