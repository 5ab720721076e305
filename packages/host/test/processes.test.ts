import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { childPermissions, createProcessEngine } from "@glia-os/host";
import { expect, test } from "vitest";

const module = new URL("./fixtures/nosy-jobs.ts", import.meta.url);
const job = (entry: string, payload: unknown = 0) => ({
  id: entry,
  origin: "test",
  lineage: [],
  entry,
  payload,
});

test("P1: a child can read no other file, write none, start no process or thread, load no addon, use no WASI, and sees no environment", async () => {
  const engine = createProcessEngine({ module, workers: 1 });
  const file = `${import.meta.dirname}/written-by-a-child`;
  expect(await engine.run(job("nosy", file))).toEqual({
    read: "ERR_ACCESS_DENIED",
    write: "ERR_ACCESS_DENIED",
    process: "ERR_ACCESS_DENIED",
    thread: "ERR_ACCESS_DENIED",
    addon: "ERR_DLOPEN_DISABLED",
    wasi: "ERR_ACCESS_DENIED",
    // No version of Node keeps a child from signalling its parent, and `signals` says so.
    signal: "allowed",
    environment: "",
  });
  const { network: _, ...others } = childPermissions();
  expect(others).toEqual({
    files: true,
    processes: true,
    threads: true,
    addons: true,
    wasi: true,
    signals: false,
  });
  expect(existsSync(file)).toBe(false);
  await engine.close();
});

test("P1: the network is closed to a child exactly when this Node can close it", async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const engine = createProcessEngine({ module, workers: 1 });
  expect(await engine.run(job("reach", port))).toBe(
    childPermissions().network ? "ERR_ACCESS_DENIED" : "allowed",
  );
  expect(childPermissions().network).toBe(Number(process.versions.node.split(".")[0]) >= 25);
  await engine.close();
  server.close();
});

test("P2: children killed with SIGKILL while they work lose no job", async () => {
  const engine = createProcessEngine({ module, workers: 2, attempts: 1000 });
  const jobs = Array.from({ length: 3000 }, (_, payload) => engine.run(job("square", payload)));
  for (let kill = 0; kill < 8; kill++) {
    const before = engine.stats().finished;
    while (engine.stats().finished < before + 50) await new Promise((resolve) => setImmediate(resolve));
    const pid = engine.pids()[kill % 2];
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
  expect(await Promise.all(jobs)).toEqual(Array.from({ length: 3000 }, (_, payload) => payload * payload));
  expect(engine.stats().workersLost).toBeGreaterThan(0);
  await engine.close();
});

test("a job whose children always die is settled as lost after its attempts, and others go on", async () => {
  const engine = createProcessEngine({ module, workers: 1, attempts: 2 });
  await expect(engine.run(job("leave"))).rejects.toMatchObject({
    code: "host.job-lost",
    details: { attempts: 2 },
  });
  expect(await engine.run(job("square", 5))).toBe(25);
  await engine.close();
});

test("a module that does not load refuses its jobs with a typed error", async () => {
  const engine = createProcessEngine({ module: new URL("./no-such-module.ts", import.meta.url), workers: 1 });
  await expect(engine.run(job("square", 5))).rejects.toMatchObject({ code: "host.worker-failed" });
  await engine.close();
});

test.skipIf(process.platform !== "linux")(
  "needs Linux: a child over its memory limit is killed, by heap or by buffers, even in a loop that nothing else ends",
  async () => {
    const engine = createProcessEngine({ module, workers: 1, memoryBytes: 256 * 1024 * 1024 });
    await expect(engine.run(job("hoard"))).rejects.toMatchObject({ code: "host.job-memory" });
    await expect(engine.run(job("hoardBuffers"))).rejects.toMatchObject({ code: "host.job-memory" });
    expect(await engine.run(job("square", 5))).toBe(25);
    await engine.close();
  },
);

test("options out of range are refused", () => {
  for (const options of [
    { workers: 0 },
    { inFlight: 0 },
    { attempts: 0 },
    { memoryBytes: 1 },
    { timeoutMs: 0 },
  ])
    expect(() => createProcessEngine({ module, ...options })).toThrowError(
      expect.objectContaining({ code: "host.bad-option" }),
    );
});
