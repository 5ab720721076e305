import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { DemoRecord } from "../src/demo/outcome.ts";
import { type CliResult, resultOf, runCli, startCli } from "./run-cli.ts";
import { demoFolders, isAlive, waitUntil } from "./wait-until.ts";

const scratch = mkdtempSync(join(tmpdir(), "glia-demo-test-"));
chmodSync(scratch, 0o777);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const env = { TMPDIR: scratch, GLIA_HOME: join(scratch, "home") };

/** What the system's own tools say of a folder. */
function wc(root: string): { files: number; lines: number; bytes: number } {
  const list = execFileSync("find", [root, "-type", "f", "-exec", "wc", "-lc", "{}", ";"], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const rows = list
    .trimEnd()
    .split("\n")
    .map((row) => row.trim().split(/\s+/).map(Number));
  const sum = (column: number): number => rows.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { files: rows.length, lines: sum(0), bytes: sum(1) };
}

function expectAgreement(result: CliResult, root: string): DemoRecord {
  const record = JSON.parse(result.stdout) as DemoRecord;
  expect([result.stderr, record.differences, result.code]).toEqual(["", [], 0]);
  expect(record.ok).toBe(true);
  expect(record).toMatchObject({
    ...wc(root),
    transport: expect.stringMatching(/^(quic|tls-tcp)$/),
    nodes: 3,
    lost: 0,
    duplicated: 0,
    owner: "relay",
  });
  expect(record.applied).toBe(record.sent);
  expect(record.migrations.map(({ from, to }) => [from, to])).toEqual([
    ["edge", "core"],
    ["core", "relay"],
  ]);
  expect(record.catalogue).toMatchObject({
    files: record.files,
    bytes: record.bytes,
    lost: 0,
    duplicated: 0,
  });
  expect(record.catalogue.applied).toBe(record.catalogue.sent);
  expect(record.failover).toMatchObject({ agent: "catalogue", killed: "edge" });
  expect(["core", "relay"]).toContain(record.failover?.to);
  expect(record.replay.lines).toEqual([
    "word-count and catalogue work on edge",
    "word-count moved from edge to core under epoch 2",
    "word-count moved from core to relay under epoch 3",
    "edge was killed",
    `catalogue goes on at ${record.failover?.to} under epoch ${record.failover?.epoch}`,
  ]);
  expect(record.replay.records).toBeGreaterThan(record.replay.lines.length);
  for (const { messagesDuring, bytes } of record.migrations) {
    expect(messagesDuring).toBeGreaterThan(0);
    expect(bytes).toBeGreaterThan(0);
  }
  expect(result.stdout.trimEnd().split("\n")).toHaveLength(1);
  return record;
}

describe("the main job on real processes", () => {
  it("agrees with find and wc on a folder of awkward files", async () => {
    const root = mkdtempSync(join(scratch, "tree-"));
    mkdirSync(join(root, "a/b/c/d/e/f"), { recursive: true });
    const files: Record<string, string | Uint8Array> = {
      empty: "",
      "no-final-newline": "one\ntwo",
      "crlf.txt": "One\r\ntwo\r\n",
      "a/b/c/d/e/f/deep": "deep words\n",
      "Ünïcode name.txt": "Straße ΟΔΟΣ İstanbul 東京 ٣٤ e\u0301\n",
      "a/binary.bin": Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) % 256),
      "a/boundary.txt": `${"x".repeat(65_535)}é${"y".repeat(65_534)}東\n`,
      "a/long-word": "z".repeat(200_000),
      "a/invalid": Uint8Array.of(0x61, 0xc3, 0x28, 0x62, 0xed, 0xa0, 0x80, 0x63, 0xf0, 0x9f),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(root, name), content);
    symlinkSync(join(root, "crlf.txt"), join(root, "link"));
    symlinkSync("..", join(root, "a/loop"));
    const record = expectAgreement(await runCli(["demo", "--input", root, "--json"], { env }), root);
    expect(record.words).toBe(record.expected.words);
    expect(demoFolders(scratch)).toEqual([]);
  });

  it("moves the agent twice even for one empty file", async () => {
    const root = mkdtempSync(join(scratch, "tree-"));
    writeFileSync(join(root, "empty"), "");
    expect(expectAgreement(await runCli(["demo", "--input", root, "--json"], { env }), root).sent).toBe(5);
  });

  const given = process.env["GLIA_TEST_TREE"];
  it.runIf(given !== undefined)(
    "agrees with find and wc on a given tree (needs GLIA_TEST_TREE)",
    async () => {
      expectAgreement(await runCli(["demo", "--input", given ?? "", "--json"], { env }), given ?? "");
    },
  );

  it.runIf(process.env["GLIA_SOAK"] === "1")(
    "streams 1 GiB of text with each process under 300 MiB (needs GLIA_SOAK=1)",
    async () => {
      const root = mkdtempSync(join(scratch, "tree-"));
      const words = Array.from({ length: 20_000 }, (_, i) => (i * 2_654_435_761).toString(36));
      const line = (n: number): string =>
        Array.from({ length: 12 }, (_, i) => words[(n * 31 + i * i * 7) % 20_000]).join(" ");
      writeFileSync(join(root, "0"), Array.from({ length: 600_000 }, (_, n) => line(n)).join("\n"));
      const { size } = statSync(join(root, "0"));
      for (let i = 1; i * size < 1024 ** 3; i++) linkSync(join(root, "0"), join(root, String(i)));
      const record = expectAgreement(await runCli(["demo", "--input", root, "--json"], { env }), root);
      expect(Object.keys(record.peakRssBytes).sort()).toEqual(["cli", "core", "relay"]);
      for (const peak of Object.values(record.peakRssBytes)) expect(peak).toBeLessThan(300 * 1024 ** 2);
    },
  );

  it("shows a person the nodes, the moves with their phases and the verdict, as plain lines without a terminal", async () => {
    const root = mkdtempSync(join(scratch, "tree-"));
    writeFileSync(join(root, "a"), "some words\n".repeat(1000));
    const { code, stdout, stderr } = await runCli(["demo", "--input", root, "-v"], { env });
    expect(stderr.replaceAll(/^\[\w+\].*\n/gm, "")).toBe("");
    expect(code).toBe(0);
    for (const role of ["core \\(anchor\\)", "relay", "edge"])
      expect(stdout).toMatch(new RegExp(`${role} +[0-9a-f]{12} +127\\.0\\.0\\.1:\\d+ +\\d+$`, "m"));
    expect(stdout).toMatch(/^edge -> core {2}pre-copy, /m);
    expect(stdout).toMatch(/^core -> relay {2}pre-copy, /m);
    expect(stdout).toContain("[========================] 100 %");
    expect(stdout).toMatch(/^kill -9 edge {2}process \d+, its data folder removed$/m);
    expect(stdout).toMatch(/^catalogue goes on at (core|relay) {2}from its replica, under epoch \d+, /m);
    expect(stdout).toMatch(/^replay {2}\d+ records of the logbook's journal/m);
    expect(stdout).toMatch(
      /^counts agree after 2 moves and a killed node: nothing lost, nothing duplicated/m,
    );
    expect(stdout).not.toContain("\u001b");
  });

  it.runIf(process.getuid?.() === 0)(
    "names a file it may not read (needs root, to run as another user)",
    async () => {
      const root = mkdtempSync(join(scratch, "tree-"));
      chmodSync(root, 0o755);
      writeFileSync(join(root, "secret"), "x");
      chmodSync(join(root, "secret"), 0o600);
      const { code, stderr } = await runCli(["demo", "--input", root], { env, uid: 65_534 });
      expect(code).toBe(1);
      expect(stderr).toBe(
        `glia: Cannot read ${join(root, "secret")}: permission denied. Make the file readable, or leave it out of the folder.\n`,
      );
    },
  );
});

describe("a run that is cut short", () => {
  /** Starts a run that takes long and waits until the agent has moved once. */
  async function midway(): Promise<{
    child: ReturnType<typeof startCli>;
    result: Promise<CliResult>;
    pids: Record<string, number>;
  }> {
    const root = mkdtempSync(join(scratch, "tree-"));
    writeFileSync(join(root, "large"), "");
    truncateSync(join(root, "large"), 256 * 1024 ** 2);
    const child = startCli(["demo", "--input", root], { env });
    const result = resultOf(child);
    let seen = "";
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on("data", (text: string) => {
        seen += text;
        if (/^edge -> core .*\n/m.test(seen)) resolve();
      });
      void result.then(({ stdout, stderr }) => reject(new RangeError(`ended early: ${stdout}${stderr}`)));
    });
    const rows = [...seen.matchAll(/^(core|relay|edge) .* (\d+)$/gm)];
    const pids = Object.fromEntries(rows.map((row) => [row[1], Number(row[2])]));
    expect(Object.keys(pids).sort()).toEqual(["core", "edge", "relay"]);
    return { child, result, pids };
  }

  async function expectNothingLeft(pids: Record<string, number>): Promise<void> {
    await waitUntil(() => !Object.values(pids).some(isAlive));
  }

  it("by Ctrl-C ends with exit code 130, its processes gone and its folders removed", async () => {
    const { child, result, pids } = await midway();
    child.kill("SIGINT");
    const { code, stderr } = await result;
    expect([code, stderr]).toEqual([130, "glia: Interrupted by Ctrl-C. Run it again and let it finish.\n"]);
    expect(Object.values(pids).some(isAlive)).toBe(false);
    expect(demoFolders(scratch)).toEqual([]);
  });

  it("by the death of the core says so, with a failure, and leaves nothing", async () => {
    const { result, pids } = await midway();
    process.kill(pids["core"] ?? 0, "SIGKILL");
    const { code, stderr } = await result;
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/core/);
    expect(Object.values(pids).some(isAlive)).toBe(false);
    expect(demoFolders(scratch)).toEqual([]);
  });

  it.runIf(process.platform !== "win32")(
    "by a core that hangs says so, with a failure, and leaves nothing (needs SIGSTOP)",
    async () => {
      const { result, pids } = await midway();
      process.kill(pids["core"] ?? 0, "SIGSTOP");
      const { code, stderr } = await result;
      expect(code).toBe(1);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(stderr).toMatch(/anchor/);
      expect(Object.values(pids).some(isAlive)).toBe(false);
      expect(demoFolders(scratch)).toEqual([]);
    },
  );

  it("by its own sudden death leaves no process behind", async () => {
    const { child, result, pids } = await midway();
    child.kill("SIGKILL");
    await result;
    await expectNothingLeft(pids);
    for (const name of demoFolders(scratch)) rmSync(join(scratch, name), { recursive: true });
  });

  it("by a reader that goes away stops in silence", async () => {
    const { child, result, pids } = await midway();
    child.stdout?.destroy();
    const { code, stderr } = await result;
    expect([code, stderr]).toEqual([1, ""]);
    await expectNothingLeft(pids);
    expect(demoFolders(scratch)).toEqual([]);
  });
});
