/**
 * `pnpm test [--soak] [--only TEXT]`: every check and every test of the repository, one after the other, with one count at the end.
 * `--only` takes the steps whose name contains the text, such as `--only tidy`.
 * `--soak` runs the long tier: tests with more seeds and longer runs (GLIA_SOAK=1), and every break instead of a sample.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { countReport, failureLines, readReport, skippedByReason } from "./suite/outcomes.ts";
import { command, runSteps, type Step, type StepResult, totalLine } from "./suite/steps.ts";
import { type ChildOptions, runChild } from "./workspace/children.ts";
import { repositoryRoot as root } from "./workspace/packages.ts";

/** Packages that also run on the oldest Node we support. */
const onOldestNode =
  "abi hal kernel durable rt store sim host quic mesh-core mesh-wire wasm guest-as guest-js tensor cells daemon".split(
    " ",
  );
/** Their tests that say nothing about the Node they run on, and run on the newest only (scripts/README.md, "What runs twice"). */
const onNewestNodeOnly: readonly string[] = [
  // What another program makes of our bytes, or does to our calls.
  ..."etcd-contract etcd-faults postgres-contract postgres-faults postgres-journal journal-disk blobs-disk"
    .split(" ")
    .map((name) => `store/test/${name}`),
  "daemon/test/mdns",
  "mesh-wire/test/avahi",
  // Searches of a protocol in virtual time, in packages that use nothing of a host.
  "mesh-core/test/migration-crash",
  "mesh-core/test/simulation/properties",
  "mesh-core/test/simulation/overlay-properties",
  "mesh-core/test/simulation/mesh-nodes",
  "mesh-core/test/failover/simulation",
  // Many modules of other compilers: what an engine makes of a moved guest, snapshot.test.ts and move.test.ts show.
  "wasm/test/foreign-guests",
  "wasm/test/differential",
].map((name) => `${name}.test.ts`);
const nodeName = process.platform === "win32" ? "node.exe" : "node";
const oldestNode = join(root, "conformance/runtimes/node24/node_modules/node/bin", nodeName);

const { values } = parseArgs({
  options: { soak: { type: "boolean" }, only: { type: "string", default: "" } },
});
const soak = values.soak === true;
const scratch = mkdtempSync(join(tmpdir(), "glia-test-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));

const env: NodeJS.ProcessEnv = {
  ...process.env,
  // Tests start hundreds of processes and threads from source: what one has compiled, with its types taken off, the next one reads.
  NODE_COMPILE_CACHE: join(scratch, "compiled"),
  TURBO_TELEMETRY_DISABLED: "1",
  DO_NOT_TRACK: "1",
  ...(soak ? { GLIA_SOAK: "1" } : {}),
};
const quiet: ChildOptions = { cwd: root, env };
const bin = (path: string): string => join(root, "node_modules", path);
const report = join(scratch, "outcomes.json");

function vitest(
  name: string,
  node: string,
  reportPath: string,
  projects: readonly string[],
  left: readonly string[] = [],
): Step {
  return {
    name,
    async run(): Promise<StepResult> {
      if (!existsSync(node))
        return { passed: 0, failed: 1, skipped: 0, notes: [`${name}: ${node} is not installed`] };
      const args = [
        bin("vitest/vitest.mjs"),
        "run",
        "--reporter=default",
        "--reporter=./scripts/suite/reporter.ts",
      ];
      const chosen = [
        ...projects.flatMap((project) => ["--project", project]),
        ...left.flatMap((pattern) => ["--exclude", pattern]),
      ];
      const vitestEnv = { ...env, GLIA_TEST_REPORT: reportPath };
      const { code } = await runChild(node, [...args, ...chosen], { cwd: root, env: vitestEnv, show: true });
      const outcome = readReport(reportPath);
      if (outcome === undefined)
        return {
          passed: 0,
          failed: 1,
          skipped: 0,
          notes: [`${name}: vitest ended with ${code} and no report`],
        };
      const counts = countReport(outcome);
      const failed = code === 0 ? counts.failed : Math.max(1, counts.failed);
      return { ...counts, failed, notes: skippedByReason(outcome.outcomes), failures: failureLines(outcome) };
    },
  };
}

/** The patterns by which vitest leaves these files out, relative to their packages; one that is not there, or that two packages have, is refused. */
function leftOut(files: readonly string[], packages: readonly string[]): readonly string[] {
  const theirs = files.filter((file) => packages.includes(file.slice(0, file.indexOf("/"))));
  return theirs.map((file) => {
    const pattern = file.slice(file.indexOf("/") + 1);
    const having = packages.filter((name) => existsSync(join(root, "packages", name, pattern)));
    if (having.length === 1 && file === `${having[0]}/${pattern}`) return pattern;
    console.error(
      `scripts/test.ts leaves out ${file}, which ${having.length} packages have: correct the list.`,
    );
    return process.exit(2);
  });
}

function oldestNodeStep(): Step[] {
  const there = onOldestNode.filter((name) => existsSync(join(root, "packages", name, "test")));
  return there.length === 0
    ? []
    : [
        vitest(
          "tests of core packages on Node 24",
          oldestNode,
          join(scratch, "node24.json"),
          there,
          leftOut(onNewestNodeOnly, there),
        ),
      ];
}

const all: Step[] = [
  command("lint", [bin("@biomejs/biome/bin/biome"), "check", "--max-diagnostics=20", "."], quiet),
  command("typecheck", ["scripts/typecheck.ts"], quiet),
  command("build", [bin("turbo/bin/turbo"), "run", "build", "--output-logs=errors-only"], {
    ...quiet,
    needed: true,
  }),
  command("tidy: the repository's own rules", ["scripts/tidy/main.ts"], quiet),
  vitest(`tests on Node ${process.versions.node}`, process.execPath, report, []),
  ...oldestNodeStep(),
  command("claims have proofs that passed", ["scripts/claims/main.ts", "--outcomes", report], quiet),
  command("programs in documents", ["scripts/doc-blocks/main.ts"], quiet),
  command(
    soak ? "every break is noticed" : "a sample of breaks is noticed",
    ["scripts/breaks/main.ts", ...(soak ? ["--all"] : [])],
    quiet,
  ),
];

const steps = all.filter(({ name }) => name.includes(values.only));
if (steps.length === 0) {
  console.error(
    `no step's name contains "${values.only}". There are: ${all.map(({ name }) => name).join("; ")}`,
  );
  process.exit(2);
}

console.log(`Runs ${steps.length} steps on Node ${process.versions.node}${soak ? ", the long tier" : ""}:`);
for (const [index, { name }] of steps.entries()) console.log(`  ${index + 1}. ${name}`);
if (!soak)
  console.log(
    "The long tier is `pnpm test:soak`. Some suites need servers; what is skipped is listed at the end.",
  );

const { total, lines, notes, failures } = await runSteps(steps, (line) => console.log(line));
console.log(`\n== summary\n${lines.join("\n")}`);
if (notes.length > 0)
  console.log(`\n!! NOT EVERYTHING RAN:\n${[...new Set(notes)].map((note) => `!!   ${note}`).join("\n")}`);
if (failures.length > 0) console.log(`\n!! FAILED:\n${failures.map((line) => `!!   ${line}`).join("\n")}`);
console.log(`\n${totalLine(total)}`);
process.exitCode = total.failed === 0 ? 0 : 1;
