/**
 * Agents in QuickJS guests on two nodes of one process: asks from outside and from agent to agent, and what another agent of a known module costs. The
 * plain ask is that of the suite `node`, and is here for the target.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentSystem } from "@glia-os/cells/agent";
import { connectSystem, createNode, type LocalNode } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { asker } from "../src/cells/asker.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";

const require = createRequire(import.meta.url);
const TIMEOUT_MS = 60_000;
/** Asks before the first that counts: V8 compiles until then, and threads learn whether to stay awake for each other. */
const WARM_UP = 6000;
const ONE_PROCESS =
  "two nodes share one process and its cores; a network adds its round trips and the time its bandwidth takes";
const WARM = `the first ${WARM_UP} asks, during which V8 compiles; ${ONE_PROCESS}`;

/** Two nodes, `hub` being the anchor, and agents from outside. */
class Pair {
  readonly hub: LocalNode;
  readonly edge: LocalNode;
  readonly system: AgentSystem;
  readonly #folder: string;

  private constructor(hub: LocalNode, edge: LocalNode, system: AgentSystem, folder: string) {
    this.hub = hub;
    this.edge = edge;
    this.system = system;
    this.#folder = folder;
  }

  static async open(): Promise<Pair> {
    const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
    const bind = { host: "127.0.0.1", port: 0 };
    const dataDir = (name: string): string => join(folder, name);
    const start = { kind: "new-cluster" } as const;
    const hub = await createNode({ dataDir: dataDir("hub"), role: "core", name: "hub", bind, start });
    const line = await hub.createJoinLine({ ttlMs: TIMEOUT_MS, uses: 1 });
    const join_ = { kind: "join", line } as const;
    const edge = await createNode({
      dataDir: dataDir("edge"),
      role: "edge",
      name: "edge",
      bind,
      start: join_,
    });
    const module = await buildAgent({ entry: join(import.meta.dirname, "../src/cells/asker.ts") });
    return new Pair(hub, edge, connectSystem(hub, { modules: [[asker, module]] }), folder);
  }

  async close(): Promise<void> {
    await this.system.close();
    await this.edge.stop();
    await this.hub.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

type Asks = Contestant & { run(times: number): Promise<void> };

async function warmed(asks: Asks): Promise<Contestant> {
  await asks.run(WARM_UP);
  return asks;
}

async function plainAsks(): Promise<Contestant> {
  const pair = await Pair.open();
  const module = new Uint8Array(readFileSync(require.resolve("@glia-os/guest-as/guests/echo.wasm")));
  await pair.edge.spawn({ name: "echo", module });
  const payload = new Uint8Array(64);
  return warmed({
    async run(times) {
      for (let i = 0; i < times; i++) await pair.hub.ask("echo", payload, TIMEOUT_MS);
    },
    close: () => pair.close(),
  });
}

async function outsideAsks(): Promise<Contestant> {
  const pair = await Pair.open();
  const ref = await pair.system.spawn(asker, { on: "edge" });
  return warmed({
    async run(times) {
      for (let i = 0; i < times; i++) await pair.system.ask(ref, "add", 1, { timeoutMs: TIMEOUT_MS });
    },
    close: () => pair.close(),
  });
}

async function agentAsks(): Promise<Contestant> {
  const pair = await Pair.open();
  const to = await pair.system.spawn(asker, { on: "edge" });
  const from = await pair.system.spawn(asker, { on: "hub" });
  return warmed({
    async run(times) {
      await pair.system.ask(from, "askOther", { to, times }, { timeoutMs: 10 * TIMEOUT_MS });
    },
    close: () => pair.close(),
  });
}

async function spawns(): Promise<Contestant> {
  const pair = await Pair.open();
  await pair.system.spawn(asker, { on: "hub" });
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const ref = await pair.system.spawn(asker, { on: "hub", detached: true });
        await pair.system.ask(ref, "add", 1, { timeoutMs: TIMEOUT_MS });
        await pair.hub.terminate(ref.id);
      }
    },
    close: () => pair.close(),
  };
}

type Rest = Pick<RowDefinition, "id" | "what" | "glia"> & Partial<RowDefinition>;

function row(rest: Rest): RowDefinition {
  return { unit: "us", better: "lower", excludes: ONE_PROCESS, peers: {}, ...rest };
}

export const suite: Suite = {
  title: "agents on nodes",
  rows: [
    row({
      id: "ask-node-plain",
      what: "one ask of 64 bytes to an agent in AssemblyScript on another node and its reply, awaited",
      target: { max: 120 },
      glia: plainAsks,
      excludes: WARM,
    }),
    row({
      id: "ask-node",
      what: "one ask from outside to a TypeScript agent on another node and its reply, awaited",
      glia: outsideAsks,
      excludes: WARM,
    }),
    row({
      id: "ask-agent",
      what: "one ask of a TypeScript agent to one on another node and its reply, awaited by the agent",
      glia: agentAsks,
      excludes: WARM,
    }),
    row({
      id: "spawn-ask-end",
      what: "a TypeScript agent of a module that its node knows is spawned, answers an ask, and is terminated",
      unit: "ms",
      glia: spawns,
    }),
  ],
};
