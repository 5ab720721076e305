/** Traces of messages between agents of two nodes, each a process of its own, as a collector of OpenTelemetry gets them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Logger } from "@glia-os/abi/ports";
import { connectSystem, createNode, type LocalNode, type MeshAgentSystem } from "@glia-os/daemon";
import { buildAgent } from "@glia-os/guest-js/build";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PATIENT } from "../agents/two-nodes.ts";
import { durableBundle } from "../domain/durable-bundle.ts";
import { type Collector, type SentSpan, startCollector } from "./collector.ts";
import { hop } from "./programs/hops.ts";

const CLIENT = 3;
const SERVER = 2;
const CONSUMER = 5;
const base = mkdtempSync(join(tmpdir(), "glia-message-traces-"));
const lines: string[] = [];
let collector: Collector;
let hub: LocalNode;
let edge: ChildProcess;
let system: MeshAgentSystem;

async function startEdge(): Promise<void> {
  const program = fileURLToPath(new URL("./traced-node.ts", import.meta.url));
  const line = await hub.createJoinLine({ ttlMs: 60_000, uses: 1 });
  const args = [join(base, "edge"), "edge", collector.endpoint, line];
  edge = spawn(process.execPath, ["--conditions=@glia-os/source", program, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await Promise.race([
    once(edge.stdout as NodeJS.ReadableStream, "data"),
    once(edge, "exit").then(([code]) => Promise.reject(new RangeError(`the node ended with ${code}`))),
  ]);
}

beforeAll(async () => {
  collector = await startCollector();
  const logger: Logger = { log: (_level, message) => void lines.push(message), child: () => logger };
  hub = await createNode({
    dataDir: join(base, "hub"),
    name: "hub",
    role: "core",
    bind: { host: "127.0.0.1", port: 0 },
    start: { kind: "new-cluster" },
    mesh: { profile: "fast", transport: "tls-only" },
    programs: "uploaded",
    traces: { endpoint: collector.endpoint },
    logger,
  });
  await startEdge();
  const folder = join(import.meta.dirname, "programs");
  const guest = await buildAgent({ entry: join(folder, "hops.ts") });
  const durable = await durableBundle(`export { hop, hop as default } from "../otel/programs/hops.ts";`);
  system = connectSystem(hub, {
    modules: [
      [hop, guest],
      [hop, durable],
    ],
  });
}, 60_000);

afterAll(async () => {
  edge.kill("SIGKILL");
  await hub.stop();
  collector.close();
  rmSync(base, { recursive: true, force: true });
});

/** The spans of one trace, once there are so many that have ended. */
async function traceOf(traceId: string, many: number): Promise<readonly SentSpan[]> {
  const found = (): readonly SentSpan[] => collector.spans.filter((span) => span.traceId === traceId);
  await expect.poll(() => found().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(many);
  return found();
}

/** The trace that an agent's last message was part of. */
async function lastTrace(agent: string): Promise<string> {
  const seen = (await system.ask(agent, "seen" as never, undefined as never, PATIENT)) as string;
  expect(seen).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  return seen.slice(3, 35);
}

/** From the span without a parent down: node, kind, agent asked. */
function path(spans: readonly SentSpan[], names: ReadonlyMap<string, string>): readonly string[] {
  const steps: string[] = [];
  const root = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  expect(root).toHaveLength(1);
  for (let at = root[0]; at !== undefined; ) {
    const { spanId, node, name, attributes } = at;
    steps.push(`${node}: ${name} ${names.get(attributes["glia.agent"] ?? "")}`);
    const below = spans.filter(({ parentSpanId }) => parentSpanId === spanId);
    expect(below.length).toBeLessThanOrEqual(1);
    at = below[0];
  }
  return steps;
}

const make = (name: string, on: string, durable = false): Promise<{ id: string }> =>
  system.spawn(hop, { name, on, durable, detached: true });

test("MS1, MS2: an ask over three agents on two nodes is one trace, each span under the one before, and the agents' log lines name it", async () => {
  const [a, b, c] = [await make("a", "hub"), await make("b", "edge"), await make("c", "hub")];
  const names = new Map([
    [a.id, "a"],
    [b.id, "b"],
    [c.id, "c"],
  ]);
  expect(await system.ask("a", "go", ["b", "c"], PATIENT)).toBe(3);
  const traceId = await lastTrace("c");
  expect(await lastTrace("b")).toBe(traceId);
  const spans = await traceOf(traceId, 6);
  expect(path(spans, names)).toEqual([
    "hub: ask go a",
    "hub: go a",
    "hub: ask go b",
    "edge: go b",
    "edge: ask go c",
    "hub: go c",
  ]);
  expect(spans.map(({ kind }) => kind).toSorted()).toEqual([SERVER, SERVER, SERVER, CLIENT, CLIENT, CLIENT]);
  expect(spans.every(({ status }) => status.code === 1)).toBe(true);
  expect(lines.filter((line) => line.startsWith("hops") && line.includes(traceId))).toHaveLength(2);
});

test("NM3: an ask of an agent that moved is served where it is, under the span of its asker; durable agents are traced likewise", async () => {
  const [d, e] = [await make("d", "hub", true), await make("e", "hub", true)];
  const names = new Map([
    [d.id, "d"],
    [e.id, "e"],
  ]);
  expect(await system.ask("d", "go", ["e"], PATIENT)).toBe(2);
  await hub.migrate("e", "edge");
  expect(await system.ask("d", "go", ["e"], PATIENT)).toBe(2);
  const spans = await traceOf(await lastTrace("e"), 4);
  expect(path(spans, names)).toEqual(["hub: ask go d", "hub: go d", "hub: ask go e", "edge: go e"]);
});

test("MS1: a tell that is passed on is one trace of producers and consumers", async () => {
  await system.tell("a", "note", "b");
  await expect
    .poll(
      () =>
        collector.spans.some(
          ({ name, kind, node }) => node === "edge" && kind === CONSUMER && name === "note",
        ),
      { timeout: 30_000 },
    )
    .toBe(true);
  const spans = await traceOf(await lastTrace("b"), 4);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const last = spans.find(({ node, kind }) => node === "edge" && kind === CONSUMER)!;
  const up: string[] = [];
  for (let at: SentSpan | undefined = last; at !== undefined; at = byId.get(at.parentSpanId ?? ""))
    up.push(`${at.node}: ${at.name}`);
  expect(up).toEqual(["edge: note", "hub: tell note", "hub: note", "hub: tell note"]);
});
