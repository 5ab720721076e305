import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-node-test-"));
const env = { GLIA_HOME: join(scratch, "home") };
const guest = (name: string): string =>
  fileURLToPath(import.meta.resolve(`@glia-os/guest-as/guests/${name}.wasm`));

const running: ReadyNode[] = [];

async function startNode(args: readonly string[], stdin?: string): Promise<ReadyNode> {
  const node = await startReadyNode(args, env, stdin);
  running.push(node);
  return node;
}

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { env });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function refusal(args: readonly string[], stdin?: string): Promise<string> {
  const { code, stderr } = await runCli(args, { env, ...(stdin === undefined ? {} : { stdin }) });
  expect(code).toBe(1);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/^glia: .+\. .+\.\n$/);
  return stderr;
}

let hub: ReadyNode;
const atHub = ["--name", "hub"];

beforeAll(async () => {
  hub = await startNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub", "--uses", "5"]);
});

afterAll(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(({ result }) => result));
  rmSync(scratch, { recursive: true, force: true });
});

describe("nodes of this machine", () => {
  it("one that runs is found without being named, and shows itself", async () => {
    const status = await json(["mesh", "status"]);
    expect(status).toMatchObject({
      ok: true,
      node: hub.ready.node,
      name: "hub",
      role: "core",
      pid: hub.child.pid,
    });
    const { stdout } = await runCli(["mesh", "status"], { env });
    expect(stdout).toContain(`node ${hub.ready.node}`);
    expect(stdout).toMatch(/^hub +core \(anchor, this node\) +alive/m);
  });

  it("a second one on the same port is refused with what to do", async () => {
    const { address } = hub.ready;
    expect(await refusal(["mesh", "start", "--bind", address, "--name", "other"])).toContain(address);
  });

  it("a second one in the same folder is refused, and --temporary does not remove that folder", async () => {
    const args = ["mesh", "start", "--bind", "127.0.0.1:0", "--data", hub.ready.data, "--temporary"];
    expect(await refusal(args)).toContain(String(hub.child.pid));
    expect(existsSync(hub.ready.data)).toBe(true);
  });

  it("join with a line from standard input, are seen, and among several none is guessed", async () => {
    const { joinLine } = await json(["mesh", "token", "create", "--uses", "1", ...atHub]);
    const edge = await startNode(["mesh", "join", "-", "--name", "leaf"], `${String(joinLine)}\n`);
    const status = await json(["mesh", "status", ...atHub]);
    const members = status["members"] as { name: string; state: string; role: string }[];
    expect(members.find(({ name }) => name === "leaf")).toMatchObject({ state: "alive", role: "edge" });
    expect(await refusal(["mesh", "status"])).toContain("hub, leaf");
    expect(await refusal(["mesh", "token", "create", "--name", "leaf"])).toContain("cluster key");
    edge.child.kill("SIGTERM");
    const { code, stdout } = await edge.result;
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /"event":"stopped","ok":true,"why":"Interrupted by SIGTERM","peakRssBytes":\d{7,}/,
    );
  });

  it("with --until-stdin-closes and --temporary end with their input and remove their folder", async () => {
    const args = ["mesh", "join", "-", "--name", "brief", "--until-stdin-closes", "--temporary"];
    const { joinLine } = hub.ready;
    const node = await startNode(args, `${joinLine}\n`);
    expect(existsSync(node.ready.data)).toBe(true);
    node.child.stdin?.end();
    expect((await node.result).code).toBe(0);
    expect(existsSync(node.ready.data)).toBe(false);
  });
});

describe("join lines that admit nobody", () => {
  const join = (line: string) => refusal(["mesh", "join", line, "--name", "stranger"]);

  it("malformed ones are refused without a connection", async () => {
    for (const line of ["nonsense", hub.ready.joinLine?.slice(0, -9) ?? "", `x${hub.ready.joinLine}`])
      expect(await join(line)).toMatch(/join line/i);
  });

  it("one that has expired is refused", async () => {
    const { joinLine } = await json(["mesh", "token", "create", "--ttl", "1s", ...atHub]);
    // A line ends with a whole second of the wall clock, so one of 1 s lives for up to 2 s.
    const ended = Math.ceil((Date.now() + 1000) / 1000) * 1000;
    while (Date.now() < ended) await new Promise((resolve) => setTimeout(resolve, ended - Date.now()));
    expect(await join(String(joinLine))).toMatch(/expired/);
  });

  it("one of another mesh that had the same address before is refused", async () => {
    const first = await startNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "before"]);
    first.child.kill("SIGTERM");
    await first.result;
    const second = await startNode(["mesh", "start", "--bind", first.ready.address, "--name", "after"]);
    await join(first.ready.joinLine ?? "");
    second.child.kill("SIGTERM");
    await second.result;
  });

  it("one that was used up is refused by the mesh", async () => {
    const { joinLine } = await json(["mesh", "token", "create", "--uses", "1", ...atHub]);
    const first = await startNode(["mesh", "join", String(joinLine), "--name", "first"]);
    expect(await join(String(joinLine))).toMatch(/admitted 1 nodes/);
    first.child.kill("SIGTERM");
    await first.result;
  });

  it("a file that holds none is named", async () => {
    const path = pathOf(scratch, "empty-line");
    writeFileSync(path, "\n\n");
    expect(await join(path)).toContain(path);
  });
});

const pathOf = join;

describe("agents from the command line", () => {
  it("are started, listed, messaged, moved with their state and ended", async () => {
    const { joinLine } = await json(["mesh", "token", "create", ...atHub]);
    const other = await startNode(["mesh", "join", String(joinLine), "--name", "other", "--role", "relay"]);
    await json(["agent", "spawn", guest("echo"), "--as", "echo", "--on", "other", "--node", "hub"]);
    const listed = await json(["agent", "list", ...atHub]);
    const [agent] = listed["agents"] as { agent: string; ownerName: string; epoch: number }[];
    expect(agent).toMatchObject({ ownerName: "other", epoch: 1 });
    expect(await json(["agent", "send", "echo", "héllo", "--ask", ...atHub])).toMatchObject({
      reply: "héllo",
    });
    const moved = await json(["agent", "move", "echo", "hub", ...atHub]);
    expect(moved).toMatchObject({ ok: true, epoch: 2, strategy: "stop-and-copy" });
    const prefix = agent?.agent.slice(0, 8) ?? "";
    expect(await json(["agent", "send", prefix, "again", "--ask", ...atHub])).toMatchObject({
      reply: "again",
    });
    expect(await json(["agent", "send", "echo", "-", ...atHub])).toMatchObject({ ok: true, bytes: 0 });
    await json(["agent", "terminate", "echo", ...atHub]);
    expect(await json(["agent", "list", ...atHub])).toMatchObject({ agents: [] });
    expect(await refusal(["agent", "send", "echo", "x", ...atHub])).toContain('no agent "echo"');
    other.child.kill("SIGTERM");
    await other.result;
  });

  it("are refused when their module is not WebAssembly or asks for an import it was not granted", async () => {
    const text = join(scratch, "text.wasm");
    writeFileSync(text, "not a module");
    expect(await refusal(["agent", "spawn", text, "--node", "hub"])).toMatch(/text\.wasm.*WebAssembly/);
    expect(await refusal(["agent", "spawn", guest("hostile-import"), "--node", "hub"])).toMatch(
      /import|grant/i,
    );
    expect(await json(["agent", "list", ...atHub])).toMatchObject({ agents: [] });
  });

  it("are refused on a node that nobody knows, with the names that are known", async () => {
    const line = await refusal(["agent", "spawn", guest("echo"), "--on", "mars", "--node", "hub"]);
    expect(line).toMatch(/mars.*hub/);
  });
});

describe("a name that two nodes have", () => {
  it("is refused with both, and an id decides", async () => {
    const twin = async (data: string): Promise<ReadyNode> => {
      const { joinLine } = await json(["mesh", "token", "create", "--uses", "1", ...atHub]);
      return startNode(["mesh", "join", String(joinLine), "--name", "twin", "--data", join(scratch, data)]);
    };
    const twins = [await twin("twin-1"), await twin("twin-2")];
    const spawn = ["agent", "spawn", guest("echo"), "--node", "hub", "--on"];
    expect(await refusal([...spawn, "twin"])).toMatch(/names several nodes/);
    const [first] = twins;
    const { agent } = await json([...spawn, first?.ready.node.slice(0, 12) ?? ""]);
    expect(agent).toMatchObject({ owner: first?.ready.node });
    await json(["agent", "terminate", "echo", ...atHub]);
    for (const { child } of twins) child.kill("SIGTERM");
    await Promise.all(twins.map(({ result }) => result));
  });
});

describe("a node that comes back", () => {
  it("takes up its cluster with --resume and is refused without, where it was and as what it was", async () => {
    const start = ["mesh", "start", "--bind", "127.0.0.1:0", "--name", "phoenix", "--role", "relay"];
    const first = await startNode(start);
    first.child.kill("SIGINT");
    expect((await first.result).code).toBe(0);
    expect(await refusal(start)).toContain("resume");
    const resume = ["mesh", "start", "--name", "phoenix", "--resume"];
    const second = await startNode(resume);
    expect(second.ready).toMatchObject({ role: "relay", address: first.ready.address });
    expect(second.ready.cluster).toBe(first.ready.cluster);
    expect(second.ready.node).toBe(first.ready.node);
    second.child.kill("SIGTERM");
    await second.result;
    expect(readFileSync(join(second.ready.data, "boot"), "utf8")).toBe("2\n");
  });
});
