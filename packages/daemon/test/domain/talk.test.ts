/** Durable agents that talk while they move, while their node is stopped and started again, and to somebody who is gone. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentRef, AnyAgent } from "@glia-os/cells/agent";
import {
  type AgentModuleFile,
  connectSystem,
  createNode,
  type LocalNode,
  type MeshAgentSystem,
} from "@glia-os/daemon";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PATIENT } from "../agents/two-nodes.ts";
import { durableBundle } from "./durable-bundle.ts";
import { carrier, shelf } from "./programs/carriers.ts";

let base: string;
let hub: LocalNode;
let edge: LocalNode;
let system: MeshAgentSystem;
let module: AgentModuleFile;

async function start(name: string, line?: string, resume = false): Promise<LocalNode> {
  return await createNode({
    dataDir: join(base, name),
    name,
    role: name === "hub" ? "core" : "edge",
    bind: { host: "127.0.0.1", port: 0 },
    start: resume
      ? { kind: "resume" }
      : line === undefined
        ? { kind: "new-cluster" }
        : { kind: "join", line },
    mesh: { profile: "fast" },
    programs: "uploaded",
  });
}

beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "glia-durable-talk-"));
  module = await durableBundle(`export * from "./programs/carriers.ts";`);
  hub = await start("hub");
  edge = await start("edge", await hub.createJoinLine({ ttlMs: 60_000, uses: 1 }));
  const modules = [shelf, carrier].map((each) => [each, module] as const);
  system = connectSystem(hub, { modules });
});
afterAll(async () => {
  await edge.stop();
  await hub.stop();
  rmSync(base, { recursive: true, force: true });
});

const make = (of: AnyAgent, name: string, on: string): Promise<AgentRef> =>
  system.spawn(of, { name, on, durable: true, detached: true });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

/** What a shelf has once so much is there. */
async function seen(name: string, count: number): Promise<unknown> {
  for (;;) {
    const found = (await system.ask(name, "seen" as never, undefined as never, PATIENT)) as number[];
    if (found.length >= count) return found;
  }
}

test("what a durable agent sends arrives once and in order while it and its receiver move", async () => {
  await make(carrier, "carrier-a", "edge");
  await make(shelf, "shelf-a", "hub");
  for (const [at, [moves, to]] of (
    [
      ["carrier-a", "hub"],
      ["shelf-a", "edge"],
      ["carrier-a", "edge"],
    ] as const
  ).entries()) {
    const carried = system.ask("carrier-a", "carry", { to: "shelf-a", count: 60 }, PATIENT);
    await hub.migrate(moves, to);
    expect(await carried).toBe(60 * (at + 1));
  }
  expect(await seen("shelf-a", 180)).toEqual(upTo(180));
});

test("a node that is stopped and started again brings its agents back, and what was on its way arrives once", async () => {
  await make(carrier, "carrier-b", "edge");
  await make(shelf, "shelf-b", "edge");
  const carried = system.ask("carrier-b", "carry", { to: "shelf-b", count: 100 }, PATIENT);
  await carried;
  await edge.stop();
  edge = await start("edge", undefined, true);
  expect(await system.ask("carrier-b", "carry", { to: "shelf-b", count: 5 }, PATIENT)).toBe(105);
  expect(await seen("shelf-b", 105)).toEqual(upTo(105));
});

test("an ask of somebody who is gone, by name and by id, fails with its code, and a new holder of the name is found", async () => {
  await make(carrier, "carrier-c", "edge");
  const gone = await make(shelf, "shelf-c", "hub");
  expect(await system.ask("carrier-c", "reach", "shelf-c", PATIENT)).toEqual([]);
  await hub.terminate(gone.id);
  expect(await system.ask("carrier-c", "reach", "shelf-c", PATIENT)).toBe("agent.unknown-agent");
  expect(await system.ask("carrier-c", "reach", gone.id, PATIENT)).toBe("agent.unknown-agent");
  await make(shelf, "shelf-c", "edge");
  expect(await system.ask("carrier-c", "reach", "shelf-c", PATIENT)).toEqual([]);
});

test("no bundle for a definition is refused by name, also when only a module for the sandbox was given", async () => {
  const sandboxed = { bytes: new Uint8Array(), grants: [] };
  const other = connectSystem(hub, { modules: [[shelf, sandboxed]] });
  await expect(other.spawn(shelf, { durable: true })).rejects.toMatchObject({
    code: "daemon.definition-unknown",
    message: expect.stringContaining("durable"),
  });
  await other.close();
});
