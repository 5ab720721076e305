/** Two nodes of one mesh in this process, and a module of agents. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "@glia-os/abi/ports";
import type { AgentSystem } from "@glia-os/cells/agent";
import { type AgentModuleFile, createNode, type LocalNode, type NodeOptions } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";

/** Both nodes. */
export interface TwoNodes {
  readonly hub: LocalNode;
  readonly edge: LocalNode;
  /** Lines the agents logged. */
  readonly lines: string[];
  stop(): Promise<void>;
}

/** Start them, with more options for both. */
export async function twoNodes(more: Partial<NodeOptions> = {}): Promise<TwoNodes> {
  const base = mkdtempSync(join(tmpdir(), "glia-mesh-agents-"));
  const lines: string[] = [];
  const logger: Logger = { log: (_level, message) => void lines.push(message), child: () => logger };
  const bind = { host: "127.0.0.1", port: 0 };
  const hub = await createNode({
    dataDir: join(base, "hub"),
    name: "hub",
    role: "core",
    bind,
    start: { kind: "new-cluster" },
    logger,
    ...more,
  });
  const line = await hub.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const edge = await createNode({
    dataDir: join(base, "edge"),
    name: "edge",
    role: "edge",
    bind,
    start: { kind: "join", line },
    logger,
    ...more,
  });
  return {
    hub,
    edge,
    lines,
    stop: async () => {
      await edge.stop();
      await hub.stop();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** The module of the test agents. */
export function talkers(): Promise<AgentModuleFile> {
  return buildAgent({ entry: join(import.meta.dirname, "programs/talkers.ts") });
}

/** The module of the agents of the contract. */
export function contractAgents(): Promise<AgentModuleFile> {
  const source = `import "@glia-os/cells/agent";
    export * from "@glia-os/cells/testing";
    export { ledger as default } from "@glia-os/cells/testing";`;
  return buildAgent({ source, folder: import.meta.dirname });
}

/** How long an ask may take on a machine that is slow or has other work: no case depends on it. */
export const PATIENT = { timeoutMs: 50_000 };

/** A system whose asks are patient unless they say how long they wait, and which spawns on a node unless it is told where. */
export function patient(system: AgentSystem, on?: string): AgentSystem {
  const ask: AgentSystem["ask"] = (to, message, input, options = PATIENT) =>
    system.ask(to, message, input, options);
  const spawn: AgentSystem["spawn"] = (definition, options) =>
    system.spawn(definition, on === undefined ? options : { on, ...options });
  const own: Readonly<Record<PropertyKey, unknown>> = { ask, spawn };
  return new Proxy(system, {
    get: (_, name) => {
      const found = own[name] ?? Reflect.get(system, name);
      return typeof found === "function" ? found.bind(system) : found;
    },
  });
}
