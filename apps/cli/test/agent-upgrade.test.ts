/** `glia agent upgrade` and `rollback`, as a person uses them: a node in a process of its own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentSystem } from "@glia-os/cells/agent";
import { type AgentView, type ControlConnection, connectControl, connectSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { groupPlan, refuseGroupOptions, requestOptions } from "../src/agent-upgrade/upgrade-options.ts";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(import.meta.dirname, ".agent-upgrade-"));
const home = mkdtempSync(join(tmpdir(), "glia-agent-upgrade-"));
const env: Record<string, string> = { GLIA_HOME: home };
const running: ReadyNode[] = [];
const file = (name: string): string => join(scratch, name);

/** A worker that counts; later versions refuse the state of one that was told to be bad. */
const worker = (version: number): string => `
  import { agent } from "@glia-os/cells/agent";
  export default agent({
    name: "worker",
    version: ${version},
    state: () => ({ count: 0, bad: false }),
    on: {
      work: { handle: (ctx) => ++ctx.state.count },
      bad: { handle(ctx) { ctx.state.bad = true; } },
      version: { handle: () => ${version} },
    },
    ${version === 1 ? "" : "codeChange(state) { if (state.bad) throw new Error('a bad worker'); return state; },"}
  });`;

async function run(args: readonly string[]): ReturnType<typeof runCli> {
  return runCli(["agent", ...args], { env });
}

async function done(...args: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run([...args, "--json"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

let node: ControlConnection;
let system: AgentSystem;
/** The worker whose turn comes last. */
let last: string;
const ask = (agent: string, message: string): Promise<unknown> =>
  system.ask(agent, message, undefined, { timeoutMs: 50_000 });

beforeAll(async () => {
  running.push(
    await startReadyNode(
      ["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub", "--programs", "uploaded"],
      env,
    ),
  );
  for (const version of [1, 2]) {
    writeFileSync(file(`worker-${version}.ts`), worker(version));
    const { bytes } = await buildAgent({ entry: file(`worker-${version}.ts`) });
    writeFileSync(file(`worker-${version}.wasm`), bytes);
  }
  node = await connectControl(join(home, "hub"));
  system = connectSystem(node);
  const grants = ["glia.v1", "glia.sys.v1", "service/agents"];
  const module = readFileSync(file("worker-1.wasm"));
  const spawned: AgentView[] = [];
  for (const name of ["w-1", "w-2", "w-3"]) spawned.push(await node.spawn({ module, name, grants }));
  // A group goes through its members by their ids, and those are drawn.
  last = spawned.toSorted((a, b) => (a.agent < b.agent ? -1 : 1)).at(-1)?.name ?? "";
});

afterAll(async () => {
  await system.close();
  await node.close();
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(({ result }) => result));
  for (const folder of [scratch, home]) rmSync(folder, { recursive: true, force: true });
});

describe("glia agent upgrade", () => {
  it("exchanges the code of one agent, says so in the list, and goes back", async () => {
    await ask("w-1", "work");
    const report = await done("upgrade", "w-1", file("worker-2.ts"));
    expect(report).toMatchObject({ ok: true, name: "w-1", from: { version: 1 }, to: { version: 2 } });
    expect([await ask("w-1", "version"), await ask("w-1", "work")]).toEqual([2, 2]);
    expect((await run(["list"])).stdout).toMatch(/w-1 .* worker 2/);
    const back = await run(["rollback", "w-1"]);
    expect(back.stdout).toMatch(/^w-1: worker 2 -> 1, .* of state, paused .*s\n$/);
    expect([await ask("w-1", "version"), await ask("w-1", "work")]).toEqual([1, 3]);
  });

  it("goes through several, canaries first; the first that refuses takes the others back and fails the command", async () => {
    await ask(last, "bad");
    const module = file("worker-2.wasm");
    const { code, stdout, stderr } = await run([
      "upgrade",
      "w-*",
      module,
      "--canary",
      "34%",
      "--observe",
      "0.1",
    ]);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/^w-\d: .*\n/)]);
    expect(stderr).toMatch(
      new RegExp(`The upgrade ended with ${last}: .*a bad worker.* of 3 agents were upgraded and went back`),
    );
    for (const name of ["w-1", "w-2", "w-3"]) expect(await ask(name, "version")).toBe(1);
    const two = await done("upgrade", "w-*", file("worker-1.wasm"), "--at-a-time", "2");
    expect(two).toMatchObject({ outcome: "done", upgraded: [{}, {}, {}] });
  });

  it("agents and files that are not there are refused with what to do", async () => {
    const module = file("worker-2.wasm");
    writeFileSync(file("text.wasm"), "not a module");
    const cases: readonly (readonly [string[], RegExp])[] = [
      [["upgrade", "x-*", module], /No agent has a name that fits "x-\*"/],
      [["upgrade", "w-1", file("text.wasm")], /text\.wasm: it is not a WebAssembly module/],
      [["upgrade", last, module], new RegExp(`Agent ${last} was not upgraded`)],
      [["upgrade", "w-1", file("none.wasm")], /none.wasm/],
      [["rollback", "w-9"], /w-9/],
    ];
    const refused = await Promise.all(cases.map(([args]) => run(args)));
    for (const [at, [, says]] of cases.entries())
      expect([refused[at]?.code, refused[at]?.stderr]).toEqual([1, expect.stringMatching(says)]);
    expect(await ask("w-1", "version")).toBe(1);
  });
});

describe("its options", () => {
  const given = { timeout: "10", rollback: true };
  it.each([
    ["--timeout", () => requestOptions({ ...given, timeout: "0" })],
    ["--timeout", () => requestOptions({ ...given, timeout: "301" })],
    ["--memory", () => requestOptions({ ...given, memory: "0" })],
    ["--canary", () => groupPlan(3, { ...given, canary: "0%" })],
    ["--canary", () => groupPlan(3, { ...given, canary: "-1" })],
    ["--observe", () => groupPlan(3, { ...given, observe: "x" })],
    ["--at-a-time", () => groupPlan(3, { ...given, atATime: "1001" })],
    ["--canary", () => refuseGroupOptions({ ...given, canary: "1" })],
    ["--no-rollback", () => refuseGroupOptions({ ...given, rollback: false })],
  ])("%s out of range, or for one agent, is refused", (option, check) => {
    expect(check).toThrow(
      expect.objectContaining({ code: "cli.usage", message: expect.stringContaining(option) }),
    );
  });

  it("a share of canaries is at least one agent, and never more than there are", () => {
    const canaries = (count: number, canary: string): number => groupPlan(count, { ...given, canary }).canary;
    expect([
      canaries(3, "1%"),
      canaries(30, "10%"),
      canaries(31, "10%"),
      canaries(3, "100%"),
      canaries(3, "9"),
    ]).toEqual([1, 3, 4, 3, 3]);
  });
});

it("a durable agent is upgraded and rolled back by a source with --durable, and a module for the sandbox is refused", async () => {
  await done("spawn", file("worker-1.ts"), "--durable", "--as", "keeper");
  expect(await ask("keeper", "work")).toBe(1);
  expect(await done("upgrade", "keeper", file("worker-2.ts"), "--durable")).toMatchObject({
    from: { version: 1 },
    to: { name: "worker", version: 2 },
  });
  expect([await ask("keeper", "version"), await ask("keeper", "work")]).toEqual([2, 2]);
  const refused = await run(["upgrade", "keeper", file("worker-2.wasm"), "--json"]);
  expect([refused.code, `${refused.stdout}${refused.stderr}`]).toEqual([
    1,
    expect.stringContaining("cells.bad-bundle"),
  ]);
  expect(await done("rollback", "keeper")).toMatchObject({ from: { version: 2 }, to: { version: 1 } });
  expect([await ask("keeper", "version"), await ask("keeper", "work")]).toEqual([1, 3]);
});
