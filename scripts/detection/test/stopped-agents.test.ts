import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { createNode, type LocalNode } from "@glia-os/daemon";
import { decodeReport, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AgentNodeStart } from "../agent-node.ts";
import { until } from "../until.ts";

const LIMIT_MS = 50_000;
const soak = process.env["GLIA_SOAK"] === "1";
const guest = createRequire(import.meta.url).resolve("@glia-os/guest-as/guests/word-count.wasm");

let base: string;
let child: ChildProcess | undefined;
let core: LocalNode | undefined;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-stopped-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await core?.stop();
  rmSync(base, { recursive: true, force: true });
});

/** What the founder thinks of the node `host`, as told by its events. */
async function founder(states: string[]): Promise<LocalNode> {
  return createNode({
    dataDir: join(base, "core"),
    name: "core",
    role: "core",
    bind: { host: "127.0.0.1", port: 0 },
    start: { kind: "new-cluster" },
    onEvent: (event) => {
      if (event.kind === "member" && event.name === "host") states.push(event.change);
    },
  });
}

async function startHost(line: string): Promise<ChildProcess> {
  const host = fork(new URL("../agent-node.ts", import.meta.url), {
    execArgv: ["--conditions=@glia-os/source"],
  });
  host.send({ name: "host", dataDir: join(base, "host"), line } satisfies AgentNodeStart);
  expect((await once(host, "message"))[0]).toEqual({ ready: true });
  return host;
}

/** Stop the agent's node until it is declared dead and for so long at least; the agent must not notice. */
async function stopAndGoOn(leastMs: number): Promise<void> {
  const states: string[] = [];
  core = await founder(states);
  child = await startHost(await core.createJoinLine({ ttlMs: 60_000, uses: 1 }));
  const module = new Uint8Array(readFileSync(guest));
  const { agent } = await core.spawn({ name: "words", module, on: "host" });
  let sequence = 0;
  const bytes = new TextEncoder().encode("one two three\n");
  const feed = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const chunk = { sequence: ++sequence, fileIndex: 0, first: sequence === 1, last: false, bytes };
      await core?.send(agent, encodeChunk(chunk));
    }
  };
  await feed(100);
  const stopped = setTimeout(leastMs);
  child.kill("SIGSTOP");
  await feed(300);
  expect(await until(() => states.includes("dead"), LIMIT_MS), "it is declared dead").toBe(true);
  await feed(100);
  await stopped;
  child.kill("SIGCONT");
  expect(await until(() => states.at(-1) === "up", LIMIT_MS), "it comes back").toBe(true);
  await feed(100);
  const report = decodeReport(await core.ask(agent, encodeReportRequest(), LIMIT_MS));
  expect(report).toMatchObject({ applied: 600, lost: 0, duplicated: 0, words: 1800 });
  expect(await core.listAgents()).toMatchObject([
    { agent, epoch: 1, ownerName: "host", live: { received: 601 } },
  ]);
  expect((await core.status()).hosting).toBe(0);
}

describe("a node with an agent that is stopped and goes on", () => {
  it("SIGSTOP until it is declared dead, then SIGCONT: the agent is there once, under its epoch, and has each message once", () =>
    stopAndGoOn(0));

  it.runIf(soak)("the same for 40 s, in which the lease of the node ends (needs the long tier)", () =>
    stopAndGoOn(40_000),
  );
});
