/** `glia up` in real processes: first and later starts, a configuration that changes, agents that are kept, jobs over a kill -9. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectControl, type JobView } from "@glia-os/daemon";
import { afterAll, describe, expect, it, vi } from "vitest";
import { type ReadyNode, startReadyNode } from "./ready-node.ts";
import { runCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-up-test-"));
const env = { GLIA_HOME: join(scratch, "home") };
const WAIT = { timeout: 40_000, interval: 50 };
const running: ReadyNode[] = [];

afterAll(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

interface Up extends ReadyNode {
  /** What it wrote to standard error so far. */
  log(): string;
}

async function up(config: string, ...more: string[]): Promise<Up> {
  const node = await startReadyNode(["up", "--config", config, ...more], env);
  let log = "";
  node.child.stderr?.on("data", (text: string) => (log += text));
  running.push(node);
  return { ...node, log: () => log };
}

async function stopped(
  { child, result }: ReadyNode,
  signal: NodeJS.Signals = "SIGTERM",
): Promise<number | null> {
  child.kill(signal);
  return (await result).code;
}

function configFile(name: string, config: object): string {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "glia.config.json");
  writeFileSync(
    file,
    JSON.stringify({ version: 1, name, mesh: { profile: "fast", transport: "tls-only" }, ...config }),
  );
  return file;
}

describe("glia up", () => {
  it("UP1: the same command founds or joins a mesh at first, and takes it up again later, with role and address kept", async () => {
    const hub = await up(configFile("hub", { bind: "127.0.0.1:0" }));
    const line = await runCli(["mesh", "token", "create", "--name", "hub", "--uses", "1"], { env });
    writeFileSync(join(scratch, "line.txt"), line.stdout);
    const config = configFile("edge", { join: { file: "../line.txt" } });
    const edge = await up(config);
    expect([hub.ready.role, edge.ready.role, edge.ready.cluster]).toEqual([
      "core",
      "edge",
      hub.ready.cluster,
    ]);
    expect(await stopped(edge)).toBe(0);
    rmSync(join(scratch, "line.txt"));
    const again = await up(config);
    expect(again.ready).toEqual({ ...edge.ready, pid: again.ready.pid });
    expect(await Promise.all([stopped(again), stopped(hub)])).toEqual([0, 0]);
  });

  it("RL1, RL2: a change of the file or SIGHUP is taken where a running node can, the rest is named, and a fault changes nothing", async () => {
    const folder = join(scratch, "program");
    mkdirSync(folder);
    const file = join(folder, "glia.config.ts");
    const write = (level: string, more = ""): void =>
      writeFileSync(
        file,
        `import { defineConfig } from "glia/config";
         export default defineConfig({ name: "program", bind: "127.0.0.1:0", mesh: { profile: "fast", transport: "tls-only" },
           log: { format: "json", level: ${JSON.stringify(level)} }, ${more} });`,
      );
    write("info");
    const node = await up(file);
    write("debug", 'http: { bind: "127.0.0.1:0" }, role: "relay"');
    const last = (message: string): Record<string, unknown> | undefined =>
      node
        .log()
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .findLast((line) => line["message"] === message);
    const taken = await vi.waitFor(() => {
      const line = last("the configuration was read again");
      expect(line).toBeDefined();
      return line;
    }, WAIT);
    expect(taken).toMatchObject({ taken: "http.bind, log.level", atRestart: "role" });
    const address = last("http is served")?.["address"] as string;
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { readonly port: number };
    write("info", `http: { bind: "127.0.0.1:${port}" }`);
    await vi.waitFor(
      () =>
        expect(last("the configuration was read again")).toMatchObject({
          taken: "log.level",
          refused: "http.bind",
        }),
      WAIT,
    );
    await new Promise((resolve) => other.close(resolve));
    expect(last("http stays where it was")?.["code"]).toBe("daemon.http-listen");
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
    write("loud");
    await vi.waitFor(
      () => expect(last("the configuration was not taken")?.["code"]).toBe("daemon.config-invalid"),
      WAIT,
    );
    expect((await fetch(`http://${address}/readyz`)).status).toBe(200);
    write("warn");
    node.child.kill("SIGHUP");
    await vi.waitFor(
      async () => expect(await fetch(`http://${address}/readyz`).catch(() => "closed")).toBe("closed"),
      WAIT,
    );
    expect(await stopped(node)).toBe(0);
  });

  it("DJ2, KA1: after kill -9 a job that was accepted goes on under its id and ends once, and agents of the configuration are started again", async () => {
    const folder = join(scratch, "worker");
    mkdirSync(folder);
    const echo = createRequire(import.meta.url).resolve("@glia-os/guest-as/guests/echo.wasm");
    const [gate, ledger] = [join(folder, "gate"), join(folder, "ledger")];
    writeFileSync(
      join(folder, "jobs.mjs"),
      `import { appendFileSync, existsSync } from "node:fs";
       import { setTimeout as sleep } from "node:timers/promises";
       export async function work(gate, { id }) {
         appendFileSync(${JSON.stringify(ledger)}, id + "\\n");
         while (!existsSync(gate)) await sleep(10);
         return "done";
       }`,
    );
    const config = configFile("worker", {
      bind: "127.0.0.1:0",
      jobs: { module: "jobs.mjs", workers: 1 },
      agents: [{ name: "kept", file: echo }],
    });
    const node = await up(config);
    const job = async (...args: string[]): Promise<JobView> => {
      const { stdout, stderr } = await runCli(["job", ...args, "--name", "worker", "--json"], { env });
      expect(stderr).toBe("");
      return (JSON.parse(stdout) as { readonly job: JobView }).job;
    };
    const living = async (): Promise<string | undefined> => {
      const control = await connectControl(node.ready.data);
      try {
        return (await control.listAgents()).find(({ name, live }) => name === "kept" && live !== undefined)
          ?.agent;
      } finally {
        await control.close();
      }
    };
    const first = await living();
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    const submit = ["submit", "work", "--payload", JSON.stringify(gate), "--key", "once"];
    const { id } = await job(...submit, "--detach");
    await vi.waitFor(() => expect(existsSync(ledger)).toBe(true), WAIT);
    await stopped(node, "SIGKILL");
    const again = await up(config);
    expect(await job("status", id)).toMatchObject({ id, state: "pending", attempt: 2 });
    const second = await vi.waitFor(async () => {
      const agent = await living();
      expect(agent).toMatch(/^[0-9a-f]{32}$/);
      return agent;
    }, WAIT);
    expect(second).not.toBe(first);
    writeFileSync(gate, "");
    expect(await job(...submit)).toMatchObject({ id, state: "succeeded", result: "done", attempt: 2 });
    expect(readFileSync(ledger, "utf8")).toBe(`${id}\n${id}\n`);
    const list = await runCli(["job", "list", "--name", "worker"], { env });
    expect(list.stdout).toBe(`${id}  work  succeeded, attempt 2  once\n`);
    const reused = await runCli(["job", "submit", "work", "--key", "once", "--name", "worker"], { env });
    expect([reused.code, reused.stderr]).toEqual([1, expect.stringContaining("belongs to another job")]);
    expect(await stopped(again)).toBe(0);
  });

  it("refuses rubbish before anything is made: options, two configurations, a missing one", async () => {
    const empty = join(scratch, "empty");
    mkdirSync(empty);
    const refused = async (...args: string[]): Promise<[number | null, string]> => {
      const { code, stderr } = await runCli(["up", ...args], { env, cwd: empty });
      return [code, stderr];
    };
    expect(await refused("--bind", "nowhere")).toEqual([
      1,
      expect.stringContaining("The command line has 1 problem: bind"),
    ]);
    expect(await refused("--role", "boss")).toEqual([2, expect.stringContaining("edge, relay, core")]);
    expect(await refused("--config", "absent.json")).toEqual([
      1,
      expect.stringContaining("there is no such file"),
    ]);
    writeFileSync(join(empty, "glia.config.json"), "{");
    expect(await refused()).toEqual([1, expect.stringContaining("glia.config.json cannot be read")]);
    writeFileSync(join(empty, "glia.config.mjs"), "export default {}");
    expect(await refused()).toEqual([
      1,
      expect.stringContaining("several configurations: glia.config.mjs, glia.config.json"),
    ]);
    expect(existsSync(join(env.GLIA_HOME, "empty"))).toBe(false);
  });
});
