/** Traces of two real nodes, as a collector of OpenTelemetry gets them. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createNode, type LocalNode, type NodeOptions } from "../../src/index.ts";
import { CONTRACT_PROGRAM } from "../../src/testing/job-protocol-contract.ts";
import { type Collector, startCollector } from "./collector.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-traces-"));
const module = join(scratch, "jobs.mjs");
const nodes: LocalNode[] = [];
let collector: Collector;
let endpoint = "";

async function start(name: string, more: Pick<NodeOptions, "start" | "jobs">): Promise<LocalNode> {
  const node = await createNode({
    dataDir: join(scratch, name),
    name,
    role: "core",
    bind: { host: "127.0.0.1", port: 0 },
    traces: { endpoint },
    mesh: { transport: "tls-only", profile: "fast" },
    ...more,
  });
  nodes.push(node);
  return node;
}

beforeAll(async () => {
  writeFileSync(module, CONTRACT_PROGRAM);
  collector = await startCollector();
  endpoint = collector.endpoint;
});

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()));
  collector.close();
  rmSync(scratch, { recursive: true, force: true });
});

describe("traces", () => {
  test("TE1: from the submission on one node to the run on another is one trace, under the span of whoever submitted; and so is a call for an agent", async () => {
    const first = await start("first", { start: { kind: "new-cluster" }, jobs: { module, workers: 1 } });
    const line = await first.createJoinLine({ ttlMs: 60_000, uses: 1 });
    const second = await start("second", { start: { kind: "join", line }, jobs: { module, workers: 2 } });
    const gate = join(scratch, "gate");
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const traceparent = `00-${trace}-b7ad6b7169203331-01`;
    const jobs = await Promise.all(
      Array.from({ length: 16 }, () => first.acceptJob({ entry: "gated", payload: { gate }, traceparent })),
    );
    await vi.waitFor(async () => expect((await second.status()).jobs?.held).toBeGreaterThan(0), {
      timeout: 30_000,
      interval: 20,
    });
    writeFileSync(gate, "");
    for (const { id } of jobs) expect((await first.jobChange(id, 1, 60_000)).state).toBe("succeeded");
    const echo = createRequire(import.meta.url).resolve("@glia-os/guest-as/guests/echo.wasm");
    await first.spawn({ name: "echo", module: new Uint8Array(readFileSync(echo)), on: "second" });
    // What waits to be sent is sent when the nodes stop.
    await Promise.all(nodes.splice(0).map((node) => node.stop()));
    const { spans } = collector;
    for (const { id } of jobs) {
      const [submit, run, ...more] = ["job.submit", "job.run"].flatMap((name) =>
        spans.filter((span) => span.attributes["glia.job.id"] === id && span.name === name),
      );
      expect([submit?.node, submit?.traceId, submit?.parentSpanId]).toEqual([
        "first",
        trace,
        "b7ad6b7169203331",
      ]);
      expect([run?.traceId, run?.parentSpanId, more]).toEqual([trace, submit?.spanId, []]);
    }
    const [asked, served] = ["call agent.spawn", "agent.spawn"].map((name) =>
      spans.find((span) => span.name === name),
    );
    expect([asked?.node, served?.node]).toEqual(["first", "second"]);
    expect([served?.traceId, served?.parentSpanId]).toEqual([asked?.traceId, asked?.spanId]);
    const ranOn = new Set(spans.filter(({ name }) => name === "job.run").map(({ node }) => node));
    expect([...ranOn].sort()).toEqual(["first", "second"]);
  });

  test("OE2: a collector that is away costs the spans and nothing else", async () => {
    endpoint = "http://127.0.0.1:9/v1/traces";
    const alone = await start("alone", { start: { kind: "new-cluster" }, jobs: { module, workers: 1 } });
    const { id } = await alone.acceptJob({ entry: "double", payload: 4 });
    expect((await alone.jobChange(id, 1, 60_000)).result).toBe(8);
  });
});
