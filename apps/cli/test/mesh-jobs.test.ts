/** Jobs in real processes: three nodes, one with more than it can run, and a thief that is killed. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type ControlConnection, connectControl, type JobsView } from "@glia-os/daemon";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-jobs-test-"));
const env = { GLIA_HOME: join(scratch, "home") };
const gate = join(scratch, "gate");
const module = join(scratch, "jobs.mjs");
/** Jobs that end only when the test says so: where each runs is then known before any has ended. */
const SOURCE = `
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
export async function gated({ gate, number }, { origin, lineage }) {
  while (!existsSync(gate)) await sleep(10);
  return { number, pid: process.pid, origin, lineage };
}
export const double = (number) => 2 * number;
export function fails() { throw new RangeError("it fails by design"); }
`;
const WAIT = { timeout: 40_000, interval: 25 };

interface Node extends ReadyNode {
  readonly control: ControlConnection;
}

const nodes: Node[] = [];

async function startNode(args: readonly string[]): Promise<Node> {
  const started = await startReadyNode([...args, "--profile", "fast"], env);
  const node = { ...started, control: await connectControl(started.ready.data) };
  nodes.push(node);
  return node;
}

async function joined(name: string, ...more: string[]): Promise<Node> {
  const line = await runCli(["mesh", "token", "create", "--uses", "1", "--name", "hub"], { env });
  return startNode(["mesh", "join", line.stdout.trim(), "--name", name, ...more]);
}

const jobsOf = async ({ control }: Node): Promise<JobsView> => (await control.status()).jobs!;

let hub: Node;
let thieves: readonly [Node, Node];
beforeAll(async () => {
  writeFileSync(module, SOURCE);
  hub = await startNode([
    "mesh",
    "start",
    "--bind",
    "127.0.0.1:0",
    "--name",
    "hub",
    "--jobs",
    module,
    "--job-workers",
    "1",
  ]);
  const own = ["--jobs", module, "--job-workers", "2"];
  thieves = [await joined("left", ...own), await joined("right", ...own)];
}, 60_000);

afterAll(async () => {
  for (const { child, control } of nodes) {
    await control.close().catch(() => undefined);
    child.kill("SIGTERM");
  }
  rmSync(scratch, { recursive: true, force: true });
});

describe("jobs of a mesh", () => {
  it("an overloaded node's jobs run on others, and those of one that is killed run again: each is settled once, with its origin and lineage", async () => {
    const COUNT = 24;
    const results = Array.from({ length: COUNT }, (_, number) =>
      hub.control.submitJob({ entry: "gated", payload: { gate, number }, lineage: ["parent"] }),
    );
    const [left, right] = thieves;
    await vi.waitFor(async () => {
      for (const thief of thieves) expect((await jobsOf(thief)).held).toBeGreaterThan(0);
    }, WAIT);
    const { given } = await jobsOf(hub);
    expect(given).toBeGreaterThan(0);
    left.child.kill("SIGKILL");
    writeFileSync(gate, "");
    const settled = (await Promise.all(results)) as {
      number: number;
      pid: number;
      origin: string;
      lineage: string[];
    }[];
    expect(settled.map(({ number }) => number)).toEqual(Array.from({ length: COUNT }, (_, number) => number));
    // Nothing ended before the kill, so nothing that ended did so on the killed node. Thieves take from each other too, so where the rest ran varies.
    const survivors = [hub.ready.pid, right.ready.pid];
    expect(settled.filter(({ pid }) => !survivors.includes(pid))).toEqual([]);
    for (const { origin, lineage } of settled)
      expect([origin, lineage]).toEqual([hub.ready.node, ["parent"]]);
    expect(await jobsOf(hub)).toMatchObject({ waiting: 0, running: 0, given: 0 });
    const theirs = await right.control.metrics();
    expect(theirs).toContain(`mayfly_job_origin{node_id="${hub.ready.node}"}`);
    const here = await hub.control.metrics();
    expect(`${here}${theirs}`).toMatch(/^mayfly_jobs_(stolen|forwarded)_total [1-9]/m);
  });

  it("glia mesh job prints what came back, and mesh status shows the jobs", async () => {
    const ran = await runCli(["mesh", "job", "double", "--payload", "21", "--count", "3", "--name", "hub"], {
      env,
    });
    expect([ran.code, ran.stdout, ran.stderr]).toEqual([0, "42\n42\n42\n", ""]);
    const status = await runCli(["mesh", "status", "--name", "hub"], { env });
    expect(status.stdout).toMatch(/^jobs: \d+ of 1 run, \d+ wait/m);
  });

  it("a job that throws, an entry that is not there and rubbish are refused with what to do", async () => {
    const refused = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stderr } = await runCli(["mesh", "job", ...args, "--name", "hub"], { env });
      return [code, stderr];
    };
    expect(await refused("fails")).toEqual([1, expect.stringContaining("it fails by design")]);
    expect(await refused("missing")).toEqual([1, expect.stringContaining("missing")]);
    expect(await refused("double", "--payload", "{")).toEqual([
      2,
      expect.stringContaining("--payload is no JSON"),
    ]);
    expect(await refused("double", "--count", "0")).toEqual([
      2,
      expect.stringContaining("--count 0 is out of range"),
    ]);
  });

  it("a node without jobs refuses them, and a module that is not there stops the start", async () => {
    await joined("plain");
    const plain = await runCli(["mesh", "job", "double", "--name", "plain"], { env });
    expect([plain.code, plain.stderr]).toEqual([
      1,
      expect.stringMatching(/without a module of jobs.*--jobs FILE/),
    ]);
    const absent = await runCli(
      ["mesh", "start", "--bind", "127.0.0.1:0", "--name", "x", "--jobs", "absent.mjs"],
      { env },
    );
    expect([absent.code, absent.stderr]).toEqual([
      1,
      expect.stringMatching(/absent\.mjs cannot be read: ENOENT/),
    ]);
  });

  it("a blob that one node keeps is fetched by another, verified by its name, and kept there", async () => {
    const bytes = new Uint8Array(200_000).map((_, at) => at * 31);
    const hash = await hub.control.putBlob(bytes);
    const [, right] = thieves;
    expect(Buffer.from(await right.control.getBlob(hash)).equals(bytes)).toBe(true);
    const missing = right.control.getBlob("00".repeat(32));
    expect(await missing.catch(errorCodeOf)).toBe("overlay.blob-not-found");
  });
});
