import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { resultOf, runCli, startCli } from "./run-cli.ts";
import { waitUntil } from "./wait-until.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-logs-"));
const env = { GLIA_HOME: join(scratch, "home"), NO_COLOR: "1" };
let hub: ReadyNode;

beforeAll(async () => {
  hub = await startReadyNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"], env);
});

afterAll(async () => {
  hub.child.kill("SIGTERM");
  await hub.result;
  rmSync(scratch, { recursive: true, force: true });
});

it("follows a node: a node that joins is a line and a record, and the end of the node is the end of the command (LG1)", async () => {
  const child = startCli(["logs", "--follow", "--json"], { env });
  const followed = resultOf(child);
  let text = "";
  child.stdout?.on("data", (chunk: string) => (text += chunk));
  const line = hub.ready.joinLine ?? "";
  const edge = await startReadyNode(["mesh", "join", "-", "--name", "edge"], env, `${line}\n`);
  await waitUntil(() => /"change":"up"[^\n]*"name":"edge"/.test(text));
  const people = await runCli(["logs", "--name", "hub", "--lines", "500"], { env });
  expect(people.stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z info {2}member edge \([0-9a-f]{12}\) is there$/m);
  const there = await runCli(["logs", "--name", "edge", "--on", "hub", "--json"], { env });
  expect(there.stdout).toContain('"name":"edge"');
  edge.child.kill("SIGTERM");
  await edge.result;
  hub.child.kill("SIGTERM");
  await hub.result;
  const { code, stdout, stderr } = await followed;
  expect([code, stderr]).toEqual([0, "glia: the node has ended\n"]);
  const records = stdout
    .trim()
    .split("\n")
    .map((each) => JSON.parse(each) as { readonly seq: number });
  const numbers = records.slice(0, -1).map(({ seq }) => seq);
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
  // Entries below the level asked for may come after the last one shown.
  expect(records.at(-1)).toEqual({ ok: true, next: expect.any(Number) });
  expect((records.at(-1) as { readonly next?: number }).next).toBeGreaterThanOrEqual(numbers.at(-1) ?? 0);
});

it("refuses what makes no sense, and says so when no node runs", async () => {
  for (const args of [
    ["--lines", "x"],
    ["--lines", "2001"],
    ["--level", "loud"],
  ])
    expect((await runCli(["logs", ...args], { env })).code).toBe(2);
  expect((await runCli(["logs"], { env })).stderr).toMatch(/^glia: /);
});
