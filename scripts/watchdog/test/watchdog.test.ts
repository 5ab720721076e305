import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { runChild } from "../../workspace/children.ts";
import { repositoryRoot } from "../../workspace/packages.ts";

const made: string[] = [];

afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function project(body: string): { root: string; args: string[] } {
  const root = mkdtempSync(join(tmpdir(), "glia-watchdog-"));
  made.push(root);
  mkdirSync(join(root, "node_modules"));
  symlinkSync(join(repositoryRoot, "node_modules/vitest"), join(root, "node_modules/vitest"), "junction");
  const setup = join(import.meta.dirname, "../setup.ts");
  const config = {
    test: { pool: "forks", provide: { hangLimitMs: 1000 }, setupFiles: [setup] },
    server: { fs: { strict: false } },
  };
  writeFileSync(join(root, "vitest.config.mjs"), `export default ${JSON.stringify(config)};\n`);
  writeFileSync(
    join(root, "a.test.ts"),
    `import { writeFileSync } from "node:fs";\nimport { test } from "vitest";\n${body}\n`,
  );
  return { root, args: [join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", root] };
}

test("G1: a test stuck in a loop is named and fails the run instead of hanging it", async () => {
  const { root, args } = project('test("fine", () => {});\ntest("spins", () => { for (;;); });');
  const { code, stderr, timedOut } = await runChild(process.execPath, args, { cwd: root, limitMs: 50_000 });
  expect([code, timedOut]).toEqual([1, false]);
  expect(stderr).toContain("a.test.ts > spins");
});

test("G1: a test that runs longer than the limit and lets timers run is left alone", async () => {
  const { root, args } = project('test("waits", () => new Promise((resolve) => setTimeout(resolve, 2500)));');
  const { code, stderr } = await runChild(process.execPath, args, { cwd: root, limitMs: 50_000 });
  expect([code, stderr]).toEqual([0, expect.not.stringContaining("watchdog")]);
});

test("G2: a test process whose vitest was killed ends", async () => {
  const { root, args } = project(
    'test("waits", () => { writeFileSync(process.env.PID_FILE, String(process.pid)); return new Promise(() => {}); }, 0);',
  );
  const pidFile = join(root, "pid");
  const vitest = spawn(process.execPath, args, {
    cwd: root,
    stdio: "ignore",
    env: { ...process.env, PID_FILE: pidFile },
  });
  const pid = await vi.waitUntil(() => readPid(pidFile), { timeout: 30_000 });
  vitest.kill("SIGKILL");
  await once(vitest, "exit");
  await vi.waitUntil(() => !isAlive(pid), { timeout: 30_000 });
});

function readPid(path: string): number {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return 0;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
