/**
 * `node --conditions=@glia-os/source scripts/planted/main.ts [NAME...]`: plants the bugs of conformance/planted, all or those named, and says by
 * which seed the simulator caught each. Exit code 1 when one was not caught within its budget.
 */
import { repositoryRoot } from "../workspace/packages.ts";
import { readBugs } from "./bug.ts";
import { catchBugs } from "./catch.ts";

const names = process.argv.slice(2);
const bugs = readBugs(repositoryRoot);
const unknown = names.filter((name) => !bugs.some((bug) => bug.name === name));
if (unknown.length > 0) {
  console.error(`no such bug: ${unknown.join(", ")}. There are: ${bugs.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
let caught = 0;
const chosen = names.length === 0 ? bugs : bugs.filter(({ name }) => names.includes(name));
await catchBugs(repositoryRoot, chosen, (result) => {
  if (result.caught) caught++;
  console.log(
    `${result.bug.name}: ${result.caught ? "caught" : "NOT CAUGHT"}: ${result.bug.summary}\n  ${result.why}`,
  );
});
console.log(`planted: ${chosen.length} bugs, ${caught} caught within their budgets`);
console.log(`counts: ${caught} passed, ${chosen.length - caught} failed`);
process.exitCode = caught === chosen.length ? 0 : 1;
