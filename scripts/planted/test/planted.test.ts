import { expect, it } from "vitest";
import { repositoryRoot } from "../../workspace/packages.ts";
import { parseBug, readBugs } from "../bug.ts";
import { type Caught, catchBugs } from "../catch.ts";

const soak = process.env["GLIA_SOAK"] === "1";
const FEW = ["never-dead", "no-refutation", "old-record", "hops-uncounted", "never-again", "links-not-moved"];

it("there are at least 25 planted bugs, each with its budget", () => {
  const bugs = readBugs(repositoryRoot);
  expect(bugs.length).toBeGreaterThanOrEqual(25);
  // The window in which a move's outcome is unknown is short: few seeds hit it.
  const most = (scenario: string): number => (scenario.startsWith("mov") ? 60 : 10);
  expect(bugs.filter(({ seeds, scenario }) => seeds > most(scenario)).map(({ name }) => name)).toEqual([]);
});

it("planted bugs are caught within their budgets: a few here, all in the long tier", {
  timeout: 1_800_000,
}, async () => {
  const bugs = readBugs(repositoryRoot).filter(({ name }) => soak || FEW.includes(name));
  const results: Caught[] = [];
  await catchBugs(repositoryRoot, bugs, (result) => results.push(result));
  expect(results.filter(({ caught }) => !caught).map(({ bug, why }) => `${bug.name}: ${why}`)).toEqual([]);
  console.log(`planted: ${results.length} of ${results.length} bugs caught`);
});

it("a file without a diff, a line, a budget or a known scenario is refused", () => {
  const good =
    "Bug: x\nScenario: calm\nNodes: 4\nSeeds: 1\n\ndiff --git a/packages/mesh-core/src/x.ts b/packages/mesh-core/src/x.ts\n";
  expect(parseBug("x", good)).toMatchObject({ scenario: "calm", nodes: 4, seeds: 1 });
  expect(() => parseBug("x", "Bug: x")).toThrow(/no diff/);
  expect(() => parseBug("x", good.replace("Seeds: 1\n", ""))).toThrow(/0 lines "Seeds/);
  expect(() => parseBug("x", good.replace("Seeds: 1", "Seeds: 0"))).toThrow(/not a whole number/);
  expect(() => parseBug("x", good.replace("calm", "storms"))).toThrow(/no scenario/);
  expect(() => parseBug("x", good.replaceAll("mesh-core/src", "mesh-core/test"))).toThrow(/outside/);
});
