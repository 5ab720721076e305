import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { AgentView, MeshSurvey, SurveyedNode } from "@glia-os/daemon";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { agentRates, meshLines, nodeLoads } from "../src/top/mesh-view.ts";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { resultOf, runCli, startCli } from "./run-cli.ts";
import { waitUntil } from "./wait-until.ts";

const ids = { hub: "a".repeat(64), edge: "b".repeat(64) } as const;

function surveyed(name: "hub" | "edge", report: Partial<SurveyedNode["report"]> = {}): SurveyedNode {
  const node = ids[name] as SurveyedNode["node"];
  const base = { uptimeMs: 10_000, rssBytes: 64 << 20, cpuMs: 1000, hosting: 1, healthScore: 0 };
  return {
    ...{ node, name, role: name === "hub" ? "core" : "edge", state: "alive", address: undefined },
    ...{ anchor: name === "hub", self: name === "hub", bootEpoch: 1, incarnation: 0, session: undefined },
    report: { ...base, jobs: undefined, moves: [], ...report },
  } as SurveyedNode;
}

function agent(name: string, received: number | undefined, memoryBytes = 65_536): AgentView {
  const live =
    received === undefined ? undefined : { received, waiting: 0, duplicatesRefused: 0, memoryBytes };
  const facts = { agent: name.repeat(32).slice(0, 32), name, epoch: 1, owner: ids.edge, ownerName: "edge" };
  return { ...facts, status: "running", programHash: "", live } as unknown as AgentView;
}

const survey = (atMs: number, nodes: SurveyedNode[], agents: AgentView[] = []): MeshSurvey => ({
  atMs,
  nodes,
  agents,
});

describe("the mesh in lines", () => {
  it("MV1: rates and loads are differences over the time between two surveys, and nothing where a counter went back", () => {
    const before = survey(1000, [surveyed("hub"), surveyed("edge")], [agent("a", 10), agent("b", 50)]);
    const nodes = [
      surveyed("hub", { uptimeMs: 12_000, cpuMs: 1500 }),
      surveyed("edge", { uptimeMs: 500, cpuMs: 20 }),
    ];
    const now = survey(3000, nodes, [agent("a", 210), agent("b", 4), agent("c", 9)]);
    const loads = nodeLoads({ now, before });
    expect([loads.get(ids.hub), loads.get(ids.edge)]).toEqual([25, undefined]);
    expect([...agentRates({ now, before })]).toEqual([[now.agents[0]?.agent, 100]]);
    expect([...agentRates({ now, before: undefined })]).toEqual([]);
    const lines = meshLines({ now, before }, "rate");
    expect(lines[0]).toBe("glia top  mesh from hub  2 of 2 nodes alive  3 agents  0 on the move");
    expect(lines.find((line) => line.startsWith("hub *"))).toMatch(/core, anchor +alive +12\.0 s +25\.0 % /);
    expect(lines.find((line) => line.startsWith("edge"))).toMatch(/ 500 ms +- /);
    expect(lines.find((line) => line.startsWith("a "))).toMatch(/running +1 +0 +210 +100 /);
  });

  it("agents come in the order that was asked for, silent owners and unreported nodes are said to be so", () => {
    const agents = [agent("a", 1, 1 << 16), agent("b", undefined), agent("c", 3, 1 << 20)];
    const silent: SurveyedNode = { ...surveyed("edge"), report: undefined };
    const now = survey(1, [surveyed("hub"), silent], agents);
    const names = (order: "name" | "memory"): string[] =>
      meshLines({ now, before: undefined }, order).flatMap((line) => /^([abc]) /.exec(line)?.[1] ?? []);
    expect(names("name")).toEqual(["a", "b", "c"]);
    expect(names("memory")).toEqual(["c", "a", "b"]);
    const lines = meshLines({ now, before: undefined }, "name");
    expect(lines.find((line) => line.startsWith("b "))).toContain("owner silent");
    expect(lines.find((line) => line.startsWith("edge"))).toContain("silent");
  });

  it("the messages that nodes keep for agents elsewhere are counted together", () => {
    const nodes = [surveyed("hub", { queued: 2 }), surveyed("edge", { queued: 3 })];
    expect(meshLines({ now: survey(1, nodes), before: undefined }, "name")[0]).toMatch(
      / {2}5 messages kept$/,
    );
  });

  it("moves under way come before those that ended, newest first, whichever node they began at", () => {
    const [moved] = [agent("a", 1)];
    const move = { agent: moved.agent, to: ids.hub, phase: "pre-copy", elapsedMs: 40 } as const;
    const none = { bytes: undefined, downtimeMs: undefined, strategy: undefined };
    const done = { bytes: 2048, downtimeMs: 6.1, strategy: "pre-copy" };
    const moves = [
      { ...move, state: "under-way", beganMs: 5, ...none },
      { ...move, state: "failed", beganMs: 3, ...none },
    ];
    const hubMoves = [{ ...move, to: ids.edge, state: "done", beganMs: 4, ...done }];
    const nodes = [surveyed("hub", { moves: hubMoves } as never), surveyed("edge", { moves } as never)];
    const lines = meshLines({ now: survey(1, nodes, [moved]), before: undefined }, "name");
    const at = lines.findIndex((line) => line.startsWith("MOVE OF"));
    expect(lines.slice(at + 1)).toEqual([
      expect.stringMatching(/^a +edge -> hub +after pre-copy/),
      expect.stringMatching(/^a +hub -> edge +done +pre-copy +40\.0 ms +6\.10 ms +2\.00 KiB$/),
      expect.stringMatching(/^a +edge -> hub +failed/),
    ]);
    expect(lines[0]).toContain("1 on the move");
  });
});

const scratch = mkdtempSync(join(tmpdir(), "glia-mesh-top-"));
const env = { GLIA_HOME: join(scratch, "home"), XDG_RUNTIME_DIR: scratch, NO_COLOR: "1" };
const running: ReadyNode[] = [];

beforeAll(async () => {
  running.push(await startReadyNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"], env));
  const line = running[0]?.ready.joinLine ?? "";
  running.push(await startReadyNode(["mesh", "join", "-", "--name", "edge"], env, `${line}\n`));
});

afterAll(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(({ result }) => result));
  rmSync(scratch, { recursive: true, force: true });
});

describe("glia top of a mesh", () => {
  it("shows every node with its own numbers, the agents, and the move that one just made", async () => {
    const echo = fileURLToPath(import.meta.resolve("@glia-os/guest-as/guests/echo.wasm"));
    const hub = ["--name", "hub"];
    expect((await runCli(["agent", "spawn", echo, "--node", "hub"], { env })).code).toBe(0);
    expect((await runCli(["agent", "send", "echo", "hello", "--ask", ...hub], { env })).code).toBe(0);
    expect((await runCli(["agent", "migrate", "echo", "edge", ...hub], { env })).code).toBe(0);
    const { code, stdout } = await runCli(["top", "--once", "--json", ...hub], { env });
    expect(code).toBe(0);
    const seen = JSON.parse(stdout) as MeshSurvey;
    expect(seen.nodes.map(({ name }) => name).sort()).toEqual(["edge", "hub"]);
    for (const { report } of seen.nodes) {
      expect(report?.rssBytes).toBeGreaterThan(1_000_000);
      expect(report?.cpuMs).toBeGreaterThan(0);
    }
    expect(seen.nodes.find(({ name }) => name === "edge")?.report?.hosting).toBe(1);
    expect(seen.agents).toMatchObject([{ name: "echo", ownerName: "edge", live: { received: 1 } }]);
    const moves = seen.nodes.find(({ name }) => name === "hub")?.report?.moves;
    expect(moves).toMatchObject([{ state: "done", phase: "live", agent: seen.agents[0]?.agent }]);
    const people = await runCli(["top", "--once", ...hub], { env });
    expect(people.stdout).toMatch(/^echo +edge +running +2 +0 +1 /m);
    expect(people.stdout).toMatch(/^echo +hub -> edge +done/m);
  });

  it("TP3: among two nodes none is guessed, both are named; --pid and --name exclude each other", async () => {
    const { code, stdout, stderr } = await runCli(["top", "--once"], { env });
    expect([code, stdout]).toEqual([1, "node edge\nnode hub\n"]);
    expect(stderr).toContain("Several programs or nodes run: node edge, node hub.");
    expect((await runCli(["top", "--pid", "1", "--name", "hub"], { env })).code).toBe(2);
    const unknown = await runCli(["top", "--name", "nobody", "--json"], { env });
    expect(JSON.parse(unknown.stdout)).toMatchObject({ error: { code: "daemon.not-running" } });
    const nearly = await runCli(["top", "--name", "hbu"], { env });
    expect([nearly.code, nearly.stderr]).toEqual([1, expect.stringContaining("did you mean hub?")]);
  });

  it("TP2: rates appear from the second look on, and it ends well when the node does", async () => {
    const child = startCli(["top", "--name", "edge", "--interval", "0.1", "--json"], { env });
    const result = resultOf(child);
    let text = "";
    child.stdout?.on("data", (chunk: string) => (text += chunk));
    await waitUntil(() => (text.match(/"ok":true/g) ?? []).length >= 2);
    const edge = running.pop();
    edge?.child.kill("SIGTERM");
    const { code, stderr } = await result;
    expect([code, stderr]).toEqual([0, "glia: the node has ended\n"]);
    await edge?.result;
  });
});
