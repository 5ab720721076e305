import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentView, createNode, type LocalNode, type NodeOptions, type NodeRole } from "@glia-os/daemon";
import { decodeReport, encodeChunk, encodeReportRequest } from "@glia-os/guest-as/word-count";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const require = createRequire(import.meta.url);
const guest = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(require.resolve(`@glia-os/guest-as/guests/${name}.wasm`)));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
/** How long an answer may take on a machine that is busy with other things; nobody waits so long for one that is there. */
const PATIENCE_MS = 50_000;

let base: string;
let nodes: LocalNode[];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-node-"));
  nodes = [];
});
afterEach(async () => {
  for (const node of nodes.reverse()) await node.stop();
  rmSync(base, { recursive: true, force: true });
});

async function start(role: NodeRole, startOf: NodeOptions["start"], name: string = role): Promise<LocalNode> {
  const bind = role === "client" ? {} : { bind: { host: "127.0.0.1", port: 0 } };
  const node = await createNode({ dataDir: join(base, name), role, name, start: startOf, ...bind });
  nodes.push(node);
  return node;
}

const found = (): Promise<LocalNode> => start("core", { kind: "new-cluster" });

async function joined(core: LocalNode, role: NodeRole, name?: string): Promise<LocalNode> {
  const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
  return start(role, { kind: "join", line }, name);
}

describe("one node", () => {
  test("runs an agent that answers, lists it, and ends it", async () => {
    const core = await found();
    const { agent, owner } = await core.spawn({ name: "echo", module: guest("echo") });
    expect(owner).toBe((await core.status()).node);
    expect(await core.ask("echo", text("hello"), 5000)).toEqual(text("hello"));
    expect(await core.listAgents()).toMatchObject([
      { agent, name: "echo", epoch: 1, live: { received: 1, waiting: 0 } },
    ]);
    await core.terminate(agent);
    expect(await core.listAgents()).toEqual([]);
    expect(await codeOf(core.ask("echo", text("x"), 1000))).toBe("daemon.unknown-agent");
  });

  test("CN1: a start that fails leaves no lock, thread or socket behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => taken.once("listening", resolve));
    const { port } = taken.address() as { port: number };
    const options = {
      dataDir: join(base, "n"),
      role: "core",
      bind: { host: "127.0.0.1", port },
      start: { kind: "new-cluster" },
    } as const;
    expect(await codeOf(createNode(options))).toBe("wire.address-in-use");
    expect(existsSync(join(base, "n", "lock"))).toBe(false);
    taken.close();
  });

  test("a folder that belongs to a cluster cannot found another, and comes back with its agents' rows and its identity", async () => {
    const core = await found();
    const before = await core.status();
    await core.stop();
    nodes.pop();
    expect(await codeOf(found())).toBe("daemon.bad-options");
    const again = await start("core", { kind: "resume" });
    const after = await again.status();
    expect([after.node, after.cluster]).toEqual([before.node, before.cluster]);
  });

  test.each<[string, Partial<NodeOptions>]>([
    ["a node without an address to listen at", { role: "edge" }],
    [
      "a client that listens",
      { role: "client", bind: { host: "127.0.0.1", port: 0 }, start: { kind: "join", line: "x" } },
    ],
    ["a client that founds a cluster", { role: "client" }],
    ["a port that is none", { role: "core", bind: { host: "127.0.0.1", port: 70_000 } }],
    ["a step limit that is none", { role: "core", bind: { host: "127.0.0.1", port: 0 }, stepMs: 1 }],
    ["a name with capitals", { role: "core", bind: { host: "127.0.0.1", port: 0 }, name: "Core" }],
  ])("refuses %s before it does anything", async (_what, options) => {
    const dataDir = join(base, "n");
    const all = { dataDir, start: { kind: "new-cluster" }, ...options } as NodeOptions;
    expect(await codeOf(createNode(all))).toBe("daemon.bad-options");
    expect(existsSync(dataDir)).toBe(false);
  });

  test("a join line that is no join line is refused by name", async () => {
    expect(await codeOf(start("edge", { kind: "join", line: "hello" }))).toMatch(/^mesh\.join-line-/);
  });

  test("a module that is not WebAssembly, and one that asks for too much, are refused and leave no row", async () => {
    const core = await found();
    expect(await codeOf(core.spawn({ name: "text", module: text("not wasm") }))).toBe("wasm.not-a-module");
    expect(await codeOf(core.spawn({ name: "greedy", module: guest("hostile-import") }))).toBe(
      "wasm.import-not-granted",
    );
    expect(await core.listAgents()).toEqual([]);
  });

  test("NV3: an agent that fails is listed with its error until it is removed, takes no messages and no other with it", async () => {
    const core = await found();
    const relay = await joined(core, "relay");
    await core.spawn({ name: "echo", module: guest("echo") });
    const { agent } = await core.spawn({ name: "deep", module: guest("hostile-recursion") });
    // Its row says that it failed a moment after it did, and its error is told by its node, which may be slow to answer.
    const failed = async (): Promise<AgentView | undefined> =>
      (await relay.listAgents()).find(({ name, failure }) => name === "deep" && failure !== undefined);
    let seen = await failed();
    for (; seen === undefined; seen = await failed()) await core.listAgents();
    expect(seen).toMatchObject({ status: "failed", live: undefined, failure: expect.stringMatching(/./) });
    expect(await core.ask("echo", text("still here"), PATIENCE_MS)).toEqual(text("still here"));
    for (const node of [core, relay])
      for (const who of ["deep", agent]) {
        expect(await codeOf(node.ask(who, text("x"), PATIENCE_MS))).toBe("daemon.agent-failed");
        const sent = node.send(who, text("x"));
        expect(await codeOf(sent.then(() => node.flush(who, PATIENCE_MS)))).toBe("daemon.agent-failed");
        expect(await codeOf(node.migrate(who, "relay"))).toBe("daemon.agent-failed");
      }
    expect(await codeOf(core.spawn({ name: "deep", module: guest("echo") }))).toBe("store.name-taken");
    await relay.terminate("deep");
    expect((await core.listAgents()).map(({ name }) => name)).toEqual(["echo"]);
    await core.spawn({ name: "deep", module: guest("echo") });
  });

  test("SK1: what was sent to an agent that is gone is told by the next flush, also when its link broke long before", async () => {
    const core = await found();
    const { agent } = await core.spawn({ name: "deep", module: guest("hostile-recursion") });
    const runs = async (): Promise<boolean> =>
      (await core.listAgents()).some(({ status }) => status !== "failed");
    for (let waits = await runs(); waits; waits = await runs()) await core.status();
    for (const who of ["deep", agent]) {
      await core.send(who, text("lost"));
      expect(await codeOf(core.ask(who, text("x"), PATIENCE_MS))).toBe("daemon.agent-failed"); // The link is over.
      expect(await codeOf(core.flush(who, PATIENCE_MS))).toBe("daemon.agent-failed");
      expect(await core.flush(who, PATIENCE_MS)).toMatchObject({ sent: 0 });
    }
  });

  test("CN3: a guest that never yields makes its node fail instead of hang", async () => {
    const bind = { host: "127.0.0.1", port: 0 };
    const core = await createNode({
      dataDir: join(base, "core"),
      role: "core",
      bind,
      start: { kind: "new-cluster" },
      stepMs: 300,
    });
    nodes.push(core);
    const { agent } = await core.spawn({ name: "loop", module: guest("hostile-loop") });
    expect(errorCodeOf(await core.failed)).toBe("daemon.guest-stuck");
    expect(await codeOf(core.ask(agent, text("x"), 2000))).toBeDefined();
  });
});

describe("a mesh of three nodes and a client", () => {
  test("an agent fed by a client moves twice while messages flow; none is lost or applied twice", async () => {
    const core = await found();
    const relay = await joined(core, "relay");
    const edge = await joined(core, "edge");
    const client = await joined(core, "client");
    const { agent } = await client.spawn({ name: "words", module: guest("word-count"), on: "edge" });
    let seq = 0;
    const feed = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const bytes = text("one two three\n");
        await client.send(
          agent,
          encodeChunk({ sequence: ++seq, fileIndex: 0, first: seq === 1, last: false, bytes }),
        );
      }
    };
    await feed(200);
    const [first] = await Promise.all([
      client.migrate(agent, "core", { strategy: "stop-and-copy" }),
      feed(500),
    ]);
    const [second] = await Promise.all([
      client.migrate("words", "relay", { strategy: "pre-copy" }),
      feed(500),
    ]);
    await feed(100);
    const stats = await client.flush(agent, 10_000);
    const report = decodeReport(await client.ask(agent, encodeReportRequest(), 10_000));
    expect(report).toMatchObject({
      applied: 1300,
      lost: 0,
      duplicated: 0,
      words: 3900,
      lines: 1300,
      malformed: 0,
    });
    expect(stats).toMatchObject({ sent: 1300, acknowledged: 1300 });
    const names = async (node: LocalNode): Promise<string> => (await node.status()).node;
    expect([first.from, first.to]).toEqual([await names(edge), await names(core)]);
    expect([second.from, second.to, second.epoch]).toEqual([await names(core), await names(relay), 3]);
    expect(await client.listAgents()).toMatchObject([
      { agent, epoch: 3, ownerName: "relay", live: { received: 1301 } },
    ]);
    expect([first.strategy, second.strategy]).toEqual(["stop-and-copy", "pre-copy"]);
    expect(second.phases.map(({ phase }) => phase)).toContain("pre-copy");
    expect((await relay.status()).hosting).toBe(1);
    expect(await edge.ask("words", encodeReportRequest(), 5000)).toBeInstanceOf(Uint8Array);
  });

  test("a client learns that the anchor is gone", async () => {
    const core = await found();
    const client = await joined(core, "client");
    await core.stop();
    nodes = nodes.filter((node) => node !== core);
    expect(errorCodeOf(await client.failed)).toBe("daemon.anchor-lost");
  });

  test("a node that does not exist and a prefix that fits several are refused by name", async () => {
    const core = await found();
    await core.spawn({ name: "echo", module: guest("echo") });
    expect(await codeOf(core.migrate("echo", "nowhere"))).toBe("daemon.unknown-node");
    expect(await codeOf(core.spawn({ name: "x", module: guest("echo"), on: "nowhere" }))).toBe(
      "daemon.unknown-node",
    );
    expect(await codeOf(core.spawn({ name: "echo", module: guest("echo") }))).toBe("store.name-taken");
  });
});
