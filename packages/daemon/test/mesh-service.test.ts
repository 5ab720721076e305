import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCodeOf } from "@glia-os/abi/errors";
import { createNode, type LocalNode, type NodeEvent, type NodeOptions, type NodeRole } from "@glia-os/daemon";
import { createSystemRandom } from "@glia-os/hal";
import { quicCarrier } from "@glia-os/mesh-wire";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClusterKeyFiles } from "../src/cluster-key.ts";
import { MESH_METRIC_HELP } from "../src/metric-help.ts";

const require = createRequire(import.meta.url);
const guest = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(require.resolve(`@glia-os/guest-as/guests/${name}.wasm`)));
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
const WAIT = { timeout: 30_000, interval: 20 };
const hasQuic = "carrier" in quicCarrier();

let base: string;
let nodes: LocalNode[];
const events: (NodeEvent & { readonly on: string })[] = [];
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "glia-mesh-"));
  nodes = [];
  events.length = 0;
});
afterEach(async () => {
  for (const node of nodes.reverse()) await node.stop();
  rmSync(base, { recursive: true, force: true });
});

async function start(
  role: NodeRole,
  startOf: NodeOptions["start"],
  options: Partial<NodeOptions> = {},
): Promise<LocalNode> {
  const name = options.name ?? role;
  const bind = role === "client" ? {} : { bind: { host: "127.0.0.1", port: 0 } };
  const onEvent = (event: NodeEvent): void => void events.push({ ...event, on: name });
  const mesh = { profile: "fast", ...options.mesh } as const;
  const all = { dataDir: join(base, name), role, name, start: startOf, onEvent, ...bind, ...options, mesh };
  const node = await createNode(all);
  nodes.push(node);
  return node;
}

const found = (options?: Partial<NodeOptions>): Promise<LocalNode> =>
  start("core", { kind: "new-cluster" }, options);

async function joined(core: LocalNode, role: NodeRole, options?: Partial<NodeOptions>): Promise<LocalNode> {
  const line = await core.createJoinLine({ ttlMs: 60_000, uses: 1 });
  return start(role, { kind: "join", line }, options);
}

async function stop(node: LocalNode): Promise<void> {
  nodes = nodes.filter((each) => each !== node);
  await node.stop();
}

const requests = async (node: LocalNode): Promise<(string | undefined)[]> =>
  (await node.members()).filter(({ self }) => !self).map(({ session }) => session?.carriers.request);

describe("the wire of a node", () => {
  test("requests go over QUIC where both nodes have it and over TLS where one was told so; both are seen", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    const relay = await joined(core, "relay", { mesh: { transport: "tls-only" } });
    expect((await core.status()).wire).toMatchObject({ mode: "auto", quic: hasQuic });
    expect((await relay.status()).wire).toMatchObject({
      mode: "tls-only",
      quic: false,
      whyNoQuic: undefined,
    });
    expect((await relay.status()).transport).toBe("tls-tcp");
    await core.ping("edge", 5000);
    await relay.ping("core", 5000);
    const { carrier } = await edge.ping("core", 5000);
    expect(carrier).toBe(hasQuic ? "quic" : "tls-tcp");
    expect((await relay.ping("core", 5000)).carrier).toBe("tls-tcp");
    expect(await requests(relay)).toContain("tls-tcp");
    const said = events.filter(({ kind }) => kind === "no-quic");
    expect(said, "said once by each node that misses it").toHaveLength(hasQuic ? 0 : 2);
  });

  test.each([
    ["profile", { profile: "slow" }],
    ["transport", { transport: "udp" }],
    ["minority policy", { minorityPolicy: "panic" }],
    ["mdns", { mdns: "yes" }],
  ])("refuses a %s that is none before it does anything", async (_what, mesh) => {
    const options = { mesh } as unknown as Partial<NodeOptions>;
    const bad = createNode({
      dataDir: join(base, "n"),
      role: "core",
      bind: { host: "127.0.0.1", port: 0 },
      start: { kind: "new-cluster" },
      ...options,
    });
    expect(await codeOf(bad)).toBe("daemon.bad-options");
    expect(existsSync(join(base, "n"))).toBe(false);
  });
});

describe("who is there", () => {
  test("a ping names who answered, how long it took and over what; nobody there is a typed refusal", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    const { node, name, roundTripMs } = await core.ping("edge", 5000);
    expect([node, name]).toEqual([(await edge.status()).node, "edge"]);
    expect(roundTripMs).toBeGreaterThan(0);
    expect(await codeOf(core.ping("mars", 5000))).toBe("daemon.unknown-node");
    for (const timeoutMs of [0, 1.5, 60_001, Number.NaN])
      expect(await codeOf(core.ping("edge", timeoutMs))).toBe("daemon.bad-options");
  });

  test("a route says what the registry and the anchor know of an agent, and goes on without the anchor", async () => {
    const core = await found();
    const relay = await joined(core, "relay");
    const edge = await joined(core, "edge");
    const { agent } = await core.spawn({ name: "echo", module: guest("echo"), on: "edge" });
    const owner = (await edge.status()).node;
    await vi.waitFor(async () => expect((await relay.route("echo")).registry?.owner).toBe(owner), WAIT);
    const known = { agent, node: owner, name: "edge", coordination: { owner, epoch: 1 } };
    await vi.waitFor(async () => expect(await relay.route(agent)).toMatchObject(known), WAIT);
    expect(await edge.route("echo")).toMatchObject({ way: "here" });
    expect(await core.route("edge")).toMatchObject({ agent: undefined, node: owner, way: "session" });
    expect(await codeOf(core.route("nothing"))).toBe("daemon.unknown-node");
    await stop(core);
    const hinted = await relay.route("echo");
    expect(hinted).toMatchObject({ agent, node: owner, coordination: undefined, registry: { owner } });
    const text = new TextEncoder();
    expect(await relay.ask("echo", text.encode("still there"), 20_000)).toEqual(text.encode("still there"));
  });

  test("a removed node is refused by everybody, learns it, and only the holder of the key can remove", async () => {
    const core = await found();
    const relay = await joined(core, "relay");
    const edge = await joined(core, "edge");
    const { node } = await edge.status();
    expect(await codeOf(relay.removeNode("edge"))).toBe("daemon.no-cluster-key");
    expect(await codeOf(core.removeNode("core"))).toBe("mesh.invalid-option");
    await vi.waitFor(async () => expect((await relay.status()).members).toHaveLength(3), WAIT);
    expect(await core.removeNode("edge")).toEqual({ node, name: "edge" });
    const names = async (of: LocalNode): Promise<string[]> =>
      (await of.status()).members.map(({ name }) => name);
    await vi.waitFor(async () => expect(await names(relay)).toEqual(["relay", "core"]), WAIT);
    await vi.waitFor(
      () => expect(events).toContainEqual(expect.objectContaining({ kind: "expelled", on: "edge" })),
      WAIT,
    );
    expect(events).toContainEqual({ kind: "member", change: "removed", node, name: "edge", on: "relay" });
    expect(events.filter(({ kind, on }) => kind === "expelled" && on !== "edge")).toEqual([]);
    await stop(edge);
    const back = start("edge", { kind: "resume" });
    expect(await codeOf(back)).toBe("mesh.node-removed");
    rmSync(join(base, "edge"), { recursive: true });
    await joined(core, "edge");
  });

  test("members out of reach are told as events and in the status", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    await vi.waitFor(async () => expect((await edge.status()).members).toHaveLength(2), WAIT);
    expect((await core.status()).health).toMatchObject({
      profile: "fast",
      quorum: "whole",
      agentsStalled: false,
    });
    await core.removeNode((await edge.status()).node);
    await vi.waitFor(async () => expect((await edge.status()).health.quorum).toBe("lost"), WAIT);
    expect(events).toContainEqual({ kind: "quorum", change: "lost", reachable: 1, known: 2, on: "edge" });
  });
});

describe("certificates and keys", () => {
  test("openssl reads the certificate that is shown; a rotation replaces it while a session goes on", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    await core.ping("edge", 5000);
    const before = await core.certificates();
    const read = spawnSync("openssl", ["x509", "-noout", "-subject", "-enddate"], { input: before.leaf.pem });
    if (read.error === undefined) {
      expect(String(read.stdout)).toContain((await core.status()).node);
      const end = /notAfter=(.*)/.exec(String(read.stdout))?.[1] ?? "";
      expect(Date.parse(end)).toBe(before.leaf.notAfterMs);
    } else process.stderr.write("openssl is missing: the certificate was not read by another program\n");
    expect(before).toMatchObject({ holdsClusterKey: true, membership: { current: true } });
    expect(before.peers.map(({ name }) => name)).toEqual(["edge"]);
    const { notAfterMs } = await core.rotateCertificate();
    const after = await core.certificates();
    expect(after.leaf.pem).not.toBe(before.leaf.pem);
    expect(after.leaf.notAfterMs).toBe(notAfterMs);
    await edge.ping("core", 5000);
    expect(events.filter(({ kind }) => kind === "anchor")).toEqual([]);
    expect((await edge.certificates()).holdsClusterKey).toBe(false);
  });

  test("MS2: the cluster's key is replaced, members renew, the founder comes back with the new one", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    const old = readFileSync(join(base, "core", "cluster-key.pem"), "utf8");
    const issued = (await edge.certificates()).membership.issuedMs;
    expect(await codeOf(edge.rotateClusterKey({ overlapMs: 0 }))).toBe("daemon.no-cluster-key");
    for (const overlapMs of [-1, 0.5, Number.NaN, 31 * 86_400_000])
      expect(await codeOf(core.rotateClusterKey({ overlapMs }))).toBe("daemon.bad-options");
    expect(readFileSync(join(base, "core", "cluster-key.pem"), "utf8")).toBe(old);
    await core.rotateClusterKey({ overlapMs: 60_000 });
    expect(readFileSync(join(base, "core", "cluster-key.pem"), "utf8")).not.toBe(old);
    await vi.waitFor(async () => {
      const { membership } = await edge.certificates();
      expect(membership.current && membership.issuedMs > issued).toBe(true);
    }, WAIT);
    const { cluster } = await core.status();
    await stop(core);
    const again = await start("core", { kind: "resume" });
    expect((await again.status()).cluster).toBe(cluster);
    await joined(again, "relay");
  });

  test("MS2: a rotation that was cut off before or after it was kept is finished by the next start", async () => {
    const core = await found();
    const { cluster } = await core.status();
    const dir = join(base, "core");
    const keys = new ClusterKeyFiles(dir, createSystemRandom());
    await stop(core);
    const { next } = await keys.begin(Date.now() + 60_000);
    const second = await start("core", { kind: "resume" });
    expect((await keys.load()).nodeId).toBe(next.nodeId);
    expect(existsSync(join(dir, "key-rotation.json"))).toBe(false);
    expect((await second.status()).cluster).toBe(cluster);
    // Kept, but the files are as they were before: as if it ended between the two.
    const before = readFileSync(join(dir, "cluster-key.pem"));
    await second.rotateClusterKey({ overlapMs: 60_000 });
    const after = readFileSync(join(dir, "cluster-key.pem"));
    await stop(second);
    writeFileSync(join(dir, "cluster-key.next.pem"), after, { mode: 0o600 });
    writeFileSync(join(dir, "cluster-key.pem"), before);
    writeFileSync(join(dir, "key-rotation.json"), '{"untilMs":1}');
    const third = await start("core", { kind: "resume" });
    expect(readFileSync(join(dir, "cluster-key.pem"))).toEqual(after);
    expect((await third.certificates()).membership.current).toBe(true);
  });
});

describe("what a node measured", () => {
  test("has every metric of the mesh that a node without jobs can have, each with its help, and promtool reads it", async () => {
    const core = await found();
    const edge = await joined(core, "edge");
    await core.spawn({ name: "echo", module: guest("echo") });
    await core.ask("echo", new Uint8Array([1]), 20_000);
    await core.route("echo");
    const missing = async (): Promise<string[]> => {
      const text = await core.metrics();
      return Object.keys(MESH_METRIC_HELP).filter((name) => !text.includes(`# TYPE ${name} `));
    };
    // Jobs need a module, which this node was not given; the others count what did not happen here.
    const absent =
      /^mayfly_|^glia_(jobs|drain|policy|failovers)|shed|expired|rotations|unopened|stray|dropped|failures|failed_rounds|puts|gets/;
    await vi.waitFor(
      async () => expect((await missing()).filter((name) => !absent.test(name))).toEqual([]),
      WAIT,
    );
    const text = await core.metrics();
    expect(text).toMatch(/^mielin_uptime_seconds\{node="core"\} [\d.]+$/m);
    expect(text, "the kernel of the agents' thread").toContain("# TYPE mayfly_syscall_counts counter");
    for (const name of text.match(/^# TYPE (\S+)/gm) ?? [])
      expect(text).toContain(name.replace("TYPE", "HELP"));
    const checked = spawnSync("promtool", ["check", "metrics"], { input: text });
    if (checked.error !== undefined) {
      process.stderr.write("promtool is missing: the text was not read by it\n");
      return;
    }
    // Its only complaints are about how the seeds spelt names, which we keep.
    const complaints = `${checked.stdout}${checked.stderr}`
      .trim()
      .split("\n")
      .filter((line) => line !== "");
    for (const line of complaints)
      expect(line).toMatch(/^(mielin|mayfly)_\S+ .*(abbreviated units|"_count" suffix|"_total" suffix)/);
    expect(checked.status).not.toBe(1);
    await edge.ping("core", 5000);
  });
});

test("MT3: while a guest holds the agents' thread the node doubts itself and says so, and its mesh thread goes on", async () => {
  const core = await found({ stepMs: 10_000 });
  const spawned = codeOf(core.spawn({ name: "loop", module: guest("hostile-loop") }));
  await vi.waitFor(
    () => expect(events).toContainEqual({ kind: "agents", change: "stalled", on: "core" }),
    WAIT,
  );
  const { health } = await core.status();
  expect(health.agentsStalled).toBe(true);
  expect(health.healthScore).toBeGreaterThanOrEqual(3);
  expect(await core.metrics(), "the mesh thread's, without the other").toContain("glia_mesh_health_score");
  await core.stop();
  await spawned;
});
