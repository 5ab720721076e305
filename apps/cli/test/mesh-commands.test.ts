import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventLine } from "../src/node/event-line.ts";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-mesh-test-"));
const env = { GLIA_HOME: join(scratch, "home") };
const echo = fileURLToPath(import.meta.resolve("@glia-os/guest-as/guests/echo.wasm"));

const running: ReadyNode[] = [];

async function startNode(args: readonly string[]): Promise<ReadyNode> {
  const node = await startReadyNode([...args, "--profile", "fast"], env);
  running.push(node);
  return node;
}

/** Resolves when the node has written a line with all of these. */
function written(node: ReadyNode, ...parts: string[]): Promise<void> {
  const found = (): boolean =>
    node
      .seen()
      .split("\n")
      .some((line) => parts.every((part) => line.includes(part)));
  return new Promise((resolve, reject) => {
    const look = (): void => void (found() && resolve());
    node.child.stdout?.on("data", look);
    void node.result.then(() => reject(new RangeError(`ended: ${node.seen()}`)));
    look();
  });
}

async function text(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli(args, { env });
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}

async function json(...args: string[]): Promise<Record<string, unknown>> {
  const lines = (await text(...args, "--json")).trim().split("\n");
  return JSON.parse(lines.at(-1) ?? "") as Record<string, unknown>;
}

async function refusal(...args: string[]): Promise<string> {
  const { code, stderr } = await runCli(args, { env });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^glia: .+\. .+\.\n$/);
  return stderr;
}

const atHub = ["--name", "hub"];
let hub: ReadyNode;
let edge: ReadyNode;

async function joined(name: string, ...more: string[]): Promise<ReadyNode> {
  const file = join(scratch, `${name}.line`);
  writeFileSync(file, await text("mesh", "token", "create", "--uses", "1", ...atHub));
  return startNode(["mesh", "join", file, "--name", name, ...more]);
}

beforeAll(async () => {
  hub = await startNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"]);
  edge = await joined("edge");
}, 60_000);

afterAll(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(({ result }) => result));
  rmSync(scratch, { recursive: true, force: true });
});

describe("looking at a mesh", () => {
  it("members are a table with what the sessions go over", async () => {
    await text("mesh", "ping", "edge", "--count", "1", ...atHub);
    const table = await text("mesh", "members", ...atHub);
    expect(table).toMatch(/^hub +core +alive +[0-9a-f]{12} +127\.0\.0\.1:\d+ +this node$/m);
    expect(table).toMatch(
      /^edge +edge +alive +[0-9a-f]{12} +127\.0\.0\.1:\d+ +(quic|tls-tcp) +(udp|quic|tls-tcp) /m,
    );
    const { members } = await json("mesh", "members", ...atHub);
    expect(members).toHaveLength(2);
  });

  it("status names the profile, the wire and how much of the mesh is in reach", async () => {
    const status = await text("mesh", "status", ...atHub);
    expect(status).toMatch(/^wire: auto; \d+ sessions, \d+ over QUIC/m);
    expect(status).toMatch(/^mesh: profile fast, a majority is in reach, without one: continue; /m);
  });

  it("a ping prints an answer per line and ends with a summary; with --json each is a record", async () => {
    const said = await text("mesh", "ping", "edge", "--count", "3", ...atHub);
    expect(said.match(/^edge {2}seq \d {2}[\d.]+ m?s {2}(quic|tls-tcp)$/gm)).toHaveLength(3);
    expect(said).toMatch(/^3 of 3 answered; min \/ median \/ max /m);
    const lines = (await text("mesh", "ping", "edge", "--count", "2", "--json", ...atHub)).trim().split("\n");
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.map(({ event, ok, sent, answered }) => event ?? [ok, sent, answered])).toEqual([
      "answer",
      "answer",
      [true, 2, 2],
    ]);
  });

  it("a ping to nobody, and one without an answer, are refused with what to do", async () => {
    expect(await refusal("mesh", "ping", "mars", ...atHub)).toMatch(/mars.*hub.*glia mesh members/);
    const mute = await joined("mute");
    await text("mesh", "ping", "mute", "--count", "1", ...atHub);
    mute.child.kill("SIGSTOP");
    try {
      const args = ["mesh", "ping", mute.ready.node, "--count", "1", "--timeout", "0.2", ...atHub];
      expect(await refusal(...args)).toMatch(/did not answer the ping.*glia mesh route/);
      await written(hub, '"change":"suspect"', mute.ready.node);
    } finally {
      mute.child.kill("SIGCONT");
    }
    await text("mesh", "ping", "mute", "--count", "1", "--timeout", "30", ...atHub);
    await text("mesh", "leave", "--name", "mute");
  });

  it("a route shows what the registry and the anchor say of an agent, and the way to a node", async () => {
    await json("agent", "spawn", echo, "--as", "echo", "--on", "edge", "--node", "hub");
    const route = await text("mesh", "route", "echo", ...atHub);
    expect(route).toMatch(new RegExp(`^anchor +on ${edge.ready.node.slice(0, 12)}, epoch 1$`, "m"));
    expect(route).toMatch(/^way +an open session over (quic|tls-tcp)$/m);
    expect(await text("mesh", "route", "hub", ...atHub)).toMatch(/^way +it is this node$/m);
    await refusal("mesh", "route", "nothing-of-that-name", ...atHub);
  });

  it("metrics are text that promtool reads", async () => {
    const metrics = await text("mesh", "metrics", ...atHub);
    expect(metrics).toMatch(/^mielin_uptime_seconds\{node="hub"\} /m);
    const checked = spawnSync("promtool", ["check", "metrics"], { input: metrics });
    if (checked.error === undefined) expect(checked.status).not.toBe(1);
  });
});

describe("keys and certificates", () => {
  it("the certificate that is shown is one that openssl reads, and a rotation replaces it", async () => {
    const pem = await text("mesh", "cert", "show", "--pem", ...atHub);
    const read = spawnSync("openssl", ["x509", "-noout", "-subject"], { input: pem });
    if (read.error === undefined) expect(String(read.stdout)).toContain(hub.ready.node);
    expect(await text("mesh", "cert", "rotate", ...atHub)).toContain("Sessions that are open go on");
    expect(await text("mesh", "cert", "show", "--pem", ...atHub)).not.toBe(pem);
    const shown = await text("mesh", "cert", "show", ...atHub);
    expect(shown).toMatch(/^session certificate +until \d{4}-\d\d-\d\dT[\d:]+Z \(89 days\)$/m);
    expect(shown).toContain("held by this node");
  });

  it("the cluster's key is replaced on the node that holds it, and nowhere else", async () => {
    const file = join(hub.ready.data, "cluster-key.pem");
    const before = readFileSync(file, "utf8");
    expect(await refusal("mesh", "key", "rotate", "--name", "edge")).toContain(
      "does not hold the cluster key",
    );
    const { code, stderr } = await runCli(["mesh", "key", "rotate", "--overlap", "31d", ...atHub], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining("0s to 30d")]);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(await text("mesh", "key", "rotate", "--overlap", "1h", ...atHub)).toContain(
      "the cluster has a new key",
    );
    expect(readFileSync(file, "utf8")).not.toBe(before);
    const late = await joined("late");
    await text("mesh", "leave", "--name", "late");
    expect((await late.result).code).toBe(0);
  });
});

describe("a node over HTTP", () => {
  it("serves what the command prints, to who bears the token of a file for its user only, and says that it is ready", async () => {
    const watched = await joined("watched", "--metrics-port", "0");
    const { http = "", httpToken = "" } = watched.ready;
    expect(statSync(httpToken).mode & 0o777).toBe(0o600);
    const bearer = { authorization: `Bearer ${readFileSync(httpToken, "utf8").trim()}` };
    expect((await fetch(`${http}/metrics`)).status).toBe(401);
    const metrics = await fetch(`${http}/metrics`, { headers: bearer });
    expect(await metrics.text()).toContain('mielin_uptime_seconds{node="watched"}');
    expect(await (await fetch(`${http}/readyz`)).text()).toBe("ready\n");
    expect(await (await fetch(`${http}/__health`, { headers: bearer })).json()).toMatchObject({
      status: "ok",
      name: "watched",
    });
    watched.child.kill("SIGTERM");
    expect((await watched.result).code).toBe(0);
    await expect(fetch(`${http}/readyz`)).rejects.toThrow();
  });

  it("a port that is taken stops the node from starting, with the address in the message", async () => {
    const { port } = new URL(`http://${hub.ready.address}`);
    const line = (await text("mesh", "token", "create", ...atHub)).trim();
    const refused = await refusal("mesh", "join", line, "--name", "second", "--metrics-port", port);
    expect(refused).toMatch(/HTTP cannot be served at 127\.0\.0\.1 port .*EADDRINUSE/);
  });
});

describe("going", () => {
  it("a node with agents leaves only when it is forced, and its folder stays", async () => {
    const guest = await joined("guest");
    await json("agent", "spawn", echo, "--as", "tenant", "--on", "guest", "--node", "hub");
    expect(await refusal("mesh", "leave", "--name", "guest")).toMatch(
      /1 agent lives on the node guest.*--force/,
    );
    expect(await json("mesh", "leave", "--name", "guest", "--force")).toMatchObject({ ok: true, agents: 1 });
    const { code, stdout } = await guest.result;
    expect([code, stdout.includes('"why":"asked to leave"')]).toEqual([0, true]);
    expect(existsSync(guest.ready.data)).toBe(true);
    await written(hub, '"change":"left"', guest.ready.node);
    expect(await refusal("mesh", "leave", "--name", "guest")).toContain("No node is running");
  });

  it("a member that founded nothing comes back without a line, and prints none", async () => {
    const guest = await joined("returning");
    expect(await json("mesh", "leave", "--name", "returning")).toMatchObject({ ok: true });
    await guest.result;
    const again = ["mesh", "start", "--resume", "--role", "edge", "--bind", "127.0.0.1:0"];
    const { ready } = await startNode([...again, "--name", "returning"]);
    expect([ready.node, ready.joinLine]).toEqual([guest.ready.node, undefined]);
  });

  it("a removed node is told so and cannot come back by itself", async () => {
    const bad = await joined("bad");
    expect(await refusal("mesh", "remove", "bad", "--name", "edge")).toContain(
      "does not hold the cluster key",
    );
    expect(await refusal("mesh", "remove", "hub", ...atHub)).toMatch(/cannot remove itself/);
    expect(await text("mesh", "remove", "bad", ...atHub)).toContain(`removed bad (${bad.ready.node})`);
    await written(bad, '"expelled"');
    const ended = await bad.result;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/removed from the mesh, says hub/);
    const again = ["mesh", "start", "--resume", "--role", "edge", "--bind", "127.0.0.1:0", "--name", "bad"];
    expect(await refusal(...again)).toMatch(/removed.*join line/);
  });
});

it("every event has a line for people without an id of more than twelve characters", () => {
  const node = "ab".repeat(32);
  const lines = [
    eventLine({ kind: "member", change: "suspect", node, name: "edge" }),
    eventLine({ kind: "quorum", change: "lost", reachable: 1, known: 3 }),
    eventLine({ kind: "anchor", change: "back", why: "it answers again" }),
    eventLine({ kind: "agents", change: "stalled" }),
    eventLine({ kind: "agents", change: "back" }),
    eventLine({ kind: "no-quic", why: "its OpenSSL is old" }),
    eventLine({ kind: "expelled", by: node }),
    eventLine({ kind: "agent-ended", agent: node, why: "finished with status 0" }),
    eventLine({ kind: "migration-phase", agent: node, phase: { phase: "frozen", ms: 1, bytes: 2 } }),
  ];
  expect(new Set(lines).size).toBe(lines.length);
  for (const line of lines) expect(line).not.toMatch(/[0-9a-f]{13}|undefined/);
});
