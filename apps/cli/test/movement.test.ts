/** The commands about whether and where agents run, as a person uses them: two nodes in processes of their own. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-movement-"));
const env: Record<string, string> = { GLIA_HOME: join(scratch, "home"), GLIA_PASSPHRASE: "correct horse" };
const guest = (name: string): string =>
  fileURLToPath(import.meta.resolve(`@glia-os/guest-as/guests/${name}.wasm`));
const running: ReadyNode[] = [];
let line = "";

async function glia(args: readonly string[], stdin?: string): Promise<Record<string, unknown>> {
  const at = ["--name", "hub", "--json"];
  const { code, stdout, stderr } = await runCli([...args, ...at], {
    env,
    ...(stdin === undefined ? {} : { stdin }),
  });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

async function refusal(args: readonly string[], more: Record<string, string> = {}): Promise<string> {
  const { code, stderr } = await runCli([...args, "--name", "hub"], { env: { ...env, ...more } });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^glia: .+\. .+\.\n$/);
  return stderr;
}

beforeAll(async () => {
  const hub = await startReadyNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"], env);
  running.push(hub);
  line = String(hub.ready.joinLine);
  running.push(await startReadyNode(["mesh", "join", line, "--name", "edge"], env));
  await runCli(["agent", "spawn", guest("echo"), "--as", "echo", "--node", "hub"], { env });
});

afterAll(async () => {
  for (const { child } of running) child.kill("SIGTERM");
  await Promise.all(running.map(({ result }) => result));
  rmSync(scratch, { recursive: true, force: true });
});

describe("glia agent", () => {
  it("pause and resume: the agent stands still, says so, and goes on", async () => {
    expect(await glia(["agent", "pause", "echo"])).toMatchObject({ status: "suspended", epoch: 2 });
    expect(await refusal(["agent", "pause", "echo"])).toContain("suspended");
    expect(await glia(["agent", "resume", "echo"])).toMatchObject({ status: "running", epoch: 3 });
  });

  it("export and import: through a file that only its passphrase opens, stopped and gone on with on another node", async () => {
    const file = join(scratch, "echo.agent");
    const out = await glia(["agent", "export", "echo", file, "--stop"]);
    expect(out).toMatchObject({
      name: "echo",
      epoch: 3,
      file,
      stopped: true,
      bytes: readFileSync(file).length,
    });
    expect(await glia(["agent", "list"])).toMatchObject({ agents: [{ status: "exported" }] });
    expect(await refusal(["agent", "export", "echo", file])).toContain("already");
    expect(await refusal(["agent", "import", file], { GLIA_PASSPHRASE: "wrong" })).toContain("passphrase");
    expect(await refusal(["agent", "import", file], { GLIA_PASSPHRASE: "" })).toContain("empty");
    expect(await refusal(["agent", "import", join(scratch, "none")])).toContain("Cannot read");
    writeFileSync(join(scratch, "text"), "hello");
    expect(await refusal(["agent", "import", join(scratch, "text")])).toContain("not an agent file");
    const back = await glia(
      ["agent", "import", file, "--on", "edge", "--passphrase-file", "-"],
      "correct horse\n",
    );
    expect(back).toMatchObject({ agent: { name: "echo", ownerName: "edge", epoch: 5, status: "running" } });
    expect(await glia(["agent", "send", "echo", "hi", "--ask"])).toMatchObject({ reply: "hi" });
  });

  it("export: one that cannot be written lets the agent go on and leaves nothing", async () => {
    const file = join(scratch, "no-folder", "echo.agent");
    expect(await refusal(["agent", "export", "echo", file, "--stop", "--to-cluster"])).toContain(
      "cannot be written",
    );
    expect(existsSync(`${file}.part`)).toBe(false);
    expect(await glia(["agent", "send", "echo", "still", "--ask"])).toMatchObject({ reply: "still" });
  });
});

describe("glia agent send", () => {
  const queued = async (): Promise<unknown> => (await glia(["agent", "queue"]))["waiting"];

  it("--keep: a message to an agent that stands still is kept, listed, given up by hand, and delivered when it goes on", async () => {
    expect(await queued()).toEqual([]);
    await glia(["agent", "pause", "echo"]);
    expect(await glia(["agent", "send", "echo", "first", "--keep"])).toMatchObject({ queued: { id: 1 } });
    expect(await queued()).toMatchObject([{ messages: 1, bytes: 5, out: 0 }]);
    const { stdout } = await runCli(["agent", "queue", "--name", "hub"], { env });
    expect(stdout).toMatch(/echo +1 +5 B +0 +20/);
    expect(await glia(["agent", "queue", "--drop", "echo"])).toMatchObject({
      dropped: 1,
      waiting: [],
      lost: [{ id: 1, why: "dropped", inDoubt: false }],
    });
    expect(await glia(["agent", "send", "echo", "second", "--keep", "10m"])).toMatchObject({
      queued: { id: 2 },
    });
    await glia(["agent", "resume", "echo"]);
    await expect.poll(queued, { timeout: 20_000 }).toEqual([]);
  });

  it("--keep and --priority: what makes no sense is refused", async () => {
    const usage = async (...args: string[]): Promise<string> => {
      const { code, stderr } = await runCli(["agent", "send", "echo", ...args, "--name", "hub"], { env });
      expect(code).toBe(2);
      return stderr;
    };
    expect(await usage("hi", "--keep", "8d")).toContain("--keep 8d is out of range");
    expect(await usage("hi", "--keep", "--ask")).toContain("--keep and --ask exclude each other");
    expect(await usage("hi", "1", "--priority", "urgent")).toContain("--priority urgent is unknown");
    expect(await usage("hi", "--priority", "high")).toContain("goes with a message that has an input");
  });
});

describe("glia node", () => {
  it("drain and undrain: the node is emptied, and says so; what cannot move is named", async () => {
    expect(await glia(["node", "drain", "edge"])).toMatchObject({
      ok: true,
      state: "drained",
      moved: 1,
      left: 0,
    });
    const { nodes } = (await glia(["node", "list"])) as { nodes: { name: string; condition: object }[] };
    expect(nodes.find(({ name }) => name === "edge")?.condition).toMatchObject({
      takes: false,
      drain: "drained",
    });
    expect(await refusal(["node", "drain"])).toContain("echo");
    expect(await glia(["node", "undrain"])).toMatchObject({ state: "open" });
    expect(await glia(["node", "undrain", "edge"])).toMatchObject({ state: "open" });
    expect(await refusal(["node", "info", "nobody"])).toContain("nobody");
  });

  it("policy: turned on for a node, shown, and refused when there is none of that name", async () => {
    expect(await glia(["agent", "policy", "--on", "rebalance", "--node", "edge"])).toMatchObject({
      policies: ["rebalance"],
    });
    const { stdout } = await runCli(["agent", "policy", "--name", "hub"], { env });
    expect(stdout).toMatch(/edge +rebalance/);
    expect(await refusal(["agent", "policy", "--on", "weather"])).toContain("weather");
  });

  it("F6: a node that is told to stop gives its agents away first, if it was started so", async () => {
    const args = ["mesh", "join", line, "--name", "leaver", "--drain", "1m"];
    const leaver = await startReadyNode(args, env);
    running.push(leaver);
    await glia(["agent", "migrate", "echo", "leaver"]);
    expect(await refusal(["agent", "migrate", "echo", "--cancel"])).toContain("not on its way");
    leaver.child.kill("SIGTERM");
    expect((await leaver.result).code).toBe(0);
    expect(await glia(["agent", "send", "echo", "kept", "--ask"])).toMatchObject({ reply: "kept" });
  });
});
