/**
 * Proves that a test notices a break.
 *
 * P1. Without the patch the named test runs and passes; with it the same test runs and fails. A test that does not run, or a file
 *     that no longer loads, proves nothing and counts as not noticed.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type Finished, runChild } from "../workspace/children.ts";
import type { Break } from "./break.ts";
import { copyTree } from "./copy.ts";

/** How a proof ended: `noticed` is the good end. */
export interface Proved {
  readonly noticed: boolean;
  readonly why: string;
}

const testLimitMs = 300_000;
const buildLimitMs = 300_000;

/** Copies the tree at `root`, runs the break's test without and with its patch, and removes the copy. */
export async function prove(root: string, one: Break): Promise<Proved> {
  const copy = mkdtempSync(join(tmpdir(), "glia-break-"));
  try {
    copyTree(root, copy);
    const before = await runTest(copy, one);
    if (before.state !== "passed") return { noticed: false, why: `without the patch its test ${before.why}` };
    const applied = await applyPatch(copy, one);
    if (applied.code !== 0)
      return { noticed: false, why: `the patch does not apply; make it again:\n${applied.stderr}` };
    for (const dir of one.builds) {
      const built = await build(copy, dir);
      if (built.code !== 0)
        return {
          noticed: false,
          why: `${dir} does not build with the patch:\n${built.stdout}${built.stderr}`,
        };
    }
    const after = await runTest(copy, one);
    if (after.state === "failed") return { noticed: true, why: after.why };
    return { noticed: false, why: `with the patch its test ${after.why}` };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

interface Ran {
  readonly state: "passed" | "failed" | "unclear";
  readonly why: string;
}

async function runTest(copy: string, { testFile, testTitle }: Break): Promise<Ran> {
  const report = join(copy, ".break-report.json");
  rmSync(report, { force: true });
  const pattern = testTitle.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const vitest = join(copy, "node_modules/vitest/vitest.mjs");
  const args = [vitest, "run", testFile, "-t", pattern, "--reporter=json", `--outputFile=${report}`];
  const ran = await runChild(process.execPath, args, { cwd: copy, limitMs: testLimitMs });
  return ran.timedOut
    ? { state: "unclear", why: `did not end within ${testLimitMs / 1000} s` }
    : readReport(report, testTitle, ran);
}

interface JsonReport {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      title: string;
      fullName: string;
      status: string;
      failureMessages: string[];
    }[];
  }[];
}

function readReport(path: string, title: string, ran: Finished): Ran {
  let report: JsonReport;
  try {
    report = JSON.parse(readFileSync(path, "utf8")) as JsonReport;
  } catch {
    return { state: "unclear", why: `gave no report:\n${ran.stdout}${ran.stderr}` };
  }
  const named = report.testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter(({ fullName }) => fullName.includes(title));
  const failed = named.find(({ status }) => status === "failed");
  if (failed !== undefined)
    return { state: "failed", why: failed.failureMessages[0]?.split("\n")[0] ?? "failed" };
  if (named.some(({ status }) => status === "passed")) return { state: "passed", why: "passed" };
  const message = report.testResults.map((file) => file.message).find((text) => text !== "");
  return {
    state: "unclear",
    why: `did not run${message === undefined ? "" : `: ${message.split("\n")[0]}`}`,
  };
}

function applyPatch(copy: string, { patch }: Break): Promise<Finished> {
  const file = join(copy, ".break.patch");
  writeFileSync(file, patch);
  // The ceiling keeps git from taking a repository above the copy for the one to patch.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: dirname(copy) };
  return runChild("git", ["apply", "--whitespace=nowarn", file], { cwd: copy, env });
}

function build(copy: string, dir: string): Promise<Finished> {
  const manifest = JSON.parse(readFileSync(join(copy, dir, "package.json"), "utf8")) as {
    scripts?: { build?: string };
  };
  const path = [
    join(copy, dir, "node_modules/.bin"),
    join(copy, "node_modules/.bin"),
    process.env["PATH"],
  ].join(delimiter);
  const shell = process.platform === "win32" ? ["cmd", "/d", "/s", "/c"] : ["sh", "-c"];
  const [command = "sh", ...args] = [...shell, manifest.scripts?.build ?? "exit 3"];
  return runChild(command, args, {
    cwd: join(copy, dir),
    env: { ...process.env, PATH: path },
    limitMs: buildLimitMs,
  });
}
