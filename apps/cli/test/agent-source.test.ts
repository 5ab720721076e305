/** Agents in TypeScript through the command line: from `agent new` to one that answers on a node and moves to another. */
import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { ReadyRecord } from "../src/node/node-records.ts";
import { runCli, startCli } from "./run-cli.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-agent-source-"));
const env = { GLIA_HOME: join(scratch, "home") };
const running: ChildProcess[] = [];

afterAll(async () => {
  await Promise.all(
    running.map(
      (child) =>
        new Promise((resolve) => {
          child.once("exit", resolve);
          child.kill();
        }),
    ),
  );
  rmSync(scratch, { recursive: true, force: true });
});

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { env });
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as Record<string, unknown>;
}

function startNode(args: readonly string[]): Promise<ReadyRecord> {
  const child = startCli([...args, "--json"], { env });
  running.push(child);
  child.stdin?.end();
  let seen = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (text: string) => {
      seen += text;
      const line = seen.split("\n").find((each) => each.includes('"ready"'));
      if (line !== undefined && seen.includes(`${line}\n`)) resolve(JSON.parse(line) as ReadyRecord);
    });
    child.once("exit", () => reject(new RangeError(`ended early: ${seen}`)));
  });
}

it("an agent that was scaffolded builds, answers on a node, and goes on counting after a move to another", async () => {
  const folder = join(scratch, "counter");
  const made = await json(["agent", "new", folder]);
  expect(made["files"]).toEqual(["agent.ts", "package.json", "tsconfig.json"]);
  const built = await json(["agent", "build", join(folder, "agent.ts")]);
  expect(built).toMatchObject({ ok: true, startedAt: "build", module: join(folder, "agent.wasm"), log: [] });
  expect(JSON.parse(readFileSync(join(folder, "agent.wasm.map"), "utf8"))).toMatchObject({ version: 3 });

  const hub = await startNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "hub"]);
  await startNode(["mesh", "join", String(hub.joinLine), "--name", "edge"]);
  const at = ["--name", "hub"];
  await json(["agent", "spawn", join(folder, "agent.wasm"), "--as", "counter", "--node", "hub"]);
  await json(["agent", "send", "counter", "the cat and the hat", ...at]);
  await json(["agent", "migrate", "counter", "edge", ...at]);
  await json(["agent", "send", "counter", 'the {"end', ...at]);
  const top = await runCli(["agent", "send", "counter", "top", "--ask", ...at], { env });
  expect(JSON.parse(top.stdout)).toEqual([
    ["the", 3],
    ["cat", 1],
    ["and", 1],
    ["hat", 1],
    ["end", 1],
  ]);
});

it("an agent in AssemblyScript that was scaffolded builds, answers on a node, and goes on counting after a move", async () => {
  const folder = join(scratch, "fast-counter");
  const made = await json(["agent", "new", folder, "--lang", "assemblyscript"]);
  expect(made["files"]).toEqual(["agent.ts", "package.json", "tsconfig.json"]);
  const built = await json(["agent", "build", join(folder, "agent.ts")]);
  expect(built).toMatchObject({ ok: true, module: join(folder, "agent.wasm"), profile: "cooperative" });
  expect(built["grants"]).toEqual(["glia.v1"]);
  const preemptive = ["agent", "build", join(folder, "agent.ts"), "--profile", "preemptive"];
  const out = join(folder, "hub.wasm");
  expect(await json([...preemptive, "--out", out])).toMatchObject({ module: out, profile: "preemptive" });

  const hub = await startNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "as-hub"]);
  await startNode(["mesh", "join", String(hub.joinLine), "--name", "as-edge"]);
  const at = ["--name", "as-hub"];
  await json(["agent", "spawn", out, "--as", "fast", "--node", "as-hub"]);
  await json(["agent", "send", "fast", "the cat and the hat", ...at]);
  await json(["agent", "migrate", "fast", "as-edge", ...at]);
  const top = await runCli(["agent", "send", "fast", "top", "--ask", ...at], { env });
  expect(JSON.parse(top.stdout)).toEqual([
    ["the", 2],
    ["cat", 1],
    ["and", 1],
    ["hat", 1],
  ]);
});

it("an agent of a node writes the files that the node was started with, when it asks for them", async () => {
  const folder = join(scratch, "files");
  mkdirSync(folder);
  const source = join(scratch, "writer.ts");
  writeFileSync(
    source,
    `import { Capability, receiveText, replyText } from "@glia-os/guest-as/assembly";
    export function glia_main(): i32 {
      while (true) {
        const text = receiveText();
        const files = Capability.named("files");
        if (files === null) replyText("none");
        else replyText(files.writeFile("note.txt", Uint8Array.wrap(String.UTF8.encode(text))).toString());
      }
    }`,
  );
  const built = await json(["agent", "build", source]);
  expect(built["grants"]).toEqual(["glia.v1", "glia.sys.v1"]);
  await startNode(["mesh", "start", "--bind", "127.0.0.1:0", "--name", "filer", "--files", folder]);
  const spawn = [
    "agent",
    "spawn",
    join(scratch, "writer.wasm"),
    "--node",
    "filer",
    "--grant",
    "glia.v1",
    "glia.sys.v1",
  ];
  await json([...spawn, "service/files", "--as", "writer"]);
  await json([...spawn, "--as", "bare"]);
  const asked = async (agent: string): Promise<string> =>
    (await runCli(["agent", "send", agent, "kept", "--ask", "--name", "filer"], { env })).stdout.trim();
  expect([await asked("writer"), await asked("bare")]).toEqual(["0", "none"]);
  expect(readFileSync(join(folder, "note.txt"), "utf8")).toBe("kept");
  const refused = await runCli([...spawn, "service/http", "--as", "web"], { env });
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringContaining("no service http; it has agents, files"),
  ]);
});

it("agent build says what the compiler of AssemblyScript refuses, and which options it has no use for", async () => {
  const source = join(scratch, "wrong-as.ts");
  writeFileSync(
    source,
    'import { receive } from "@glia-os/guest-as/assembly";\nexport function glia_main(): i32 { return recieve(); }\n',
  );
  const wrong = await runCli(["agent", "build", source], { env });
  expect([wrong.code, wrong.stderr]).toEqual([
    1,
    expect.stringMatching(/recieve[\s\S]*wrong-as\.ts[\s\S]*\(2,43\)/),
  ]);
  expect(existsSync(join(scratch, "wrong-as.wasm"))).toBe(false);
  const useless = await runCli(["agent", "build", source, "--minify"], { env });
  expect([useless.code, useless.stderr]).toEqual([2, expect.stringContaining("--minify")]);
});

it("agent new refuses names that are none, and folders with files in them", async () => {
  const folder = join(scratch, "full");
  mkdirSync(folder);
  writeFileSync(join(folder, "mine.txt"), "keep");
  const full = await runCli(["agent", "new", folder], { env });
  expect([full.code, full.stderr]).toEqual([1, expect.stringContaining("is not empty")]);
  expect(existsSync(join(folder, "agent.ts"))).toBe(false);
  const named = await runCli(["agent", "new", join(scratch, "No Name")], { env });
  expect([named.code, named.stderr]).toEqual([2, expect.stringContaining("cannot be the name of an agent")]);
});

it("agent build says where a source is wrong, and what file is not there", async () => {
  const source = join(scratch, "wrong.ts");
  writeFileSync(source, "const x: number = ;\n");
  const wrong = await runCli(["agent", "build", source], { env });
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('wrong.ts:1:19: Unexpected ";"')]);
  const absent = await runCli(["agent", "build", join(scratch, "absent.ts"), "--json"], { env });
  expect(JSON.parse(absent.stdout)).toMatchObject({
    ok: false,
    error: { code: "cli.source-unreadable", details: { path: join(scratch, "absent.ts") } },
  });
  writeFileSync(source, "export {};\n\nthrow new RangeError('at once');\n");
  const thrown = await runCli(["agent", "build", source], { env });
  expect([thrown.code, thrown.stderr]).toEqual([
    1,
    expect.stringMatching(/RangeError: at once[\s\S]*wrong\.ts:3:\d+/),
  ]);
});
