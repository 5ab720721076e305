import { spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { toEpoch } from "@glia-os/abi/ids";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { QueueFullError, StoreClosedError, WorkerStoppedError } from "../src/errors.ts";
import { openSqliteCoordination } from "../src/sqlite.ts";
import { agentNamed, newAgent, nodeNamed } from "../src/testing.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { tracedCalls } from "./fixtures/traced-calls.ts";

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function workersOfThisProcess(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "MessagePort" || name === "Worker")
    .length;
}

it("L1: a request past the queue limit is refused with a typed error, the others are answered", async () => {
  const store = await openSqliteCoordination({ path: join(folder, "a.db"), queueLimit: 3 });
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => store.getAgent(agentNamed("1"))));
  expect(asked.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
    "rejected",
  ]);
  expect((asked[4] as PromiseRejectedResult).reason).toBeInstanceOf(QueueFullError);
  expect(await store.getAgent(agentNamed("1"))).toBeUndefined();
  await store.close();
});

it("L2: when the worker dies, waiting and later requests are refused and close still settles", async () => {
  const dying = join(folder, "dying.mjs");
  writeFileSync(
    dying,
    `import { parentPort } from "node:worker_threads";
     parentPort.postMessage({ ready: true });
     parentPort.on("message", () => { throw new RangeError("out of luck"); });`,
  );
  const store = await openSqliteCoordination({ path: join(folder, "a.db"), workerUrl: pathToFileURL(dying) });
  await expect(store.getAgent(agentNamed("1"))).rejects.toThrow("out of luck");
  await expect(store.listAgents()).rejects.toBeInstanceOf(WorkerStoppedError);
  await store.close();
});

it("L2: a worker that cannot start refuses the opening", async () => {
  const workerUrl = pathToFileURL(join(folder, "none.mjs"));
  const opening = openSqliteCoordination({ path: join(folder, "a.db"), workerUrl });
  await expect(opening).rejects.toBeInstanceOf(WorkerStoppedError);
});

it("L3: requests asked before close are answered, the first one after it is refused", async () => {
  const store = await openSqliteCoordination({ path: join(folder, "a.db") });
  const session = await store.openSession(nodeNamed("a"), 60_000, "open");
  const created = store.createAgent(newAgent(agentNamed("1"), session, "one"), "create");
  const swaps = Array.from({ length: 600 }, (_, i) =>
    store.compareAndSwap(
      agentNamed("1"),
      toEpoch(i + 1),
      { owner: session.node, sessionId: session.sessionId, status: "running" },
      `swap-${i}`,
    ),
  );
  const closed = store.close();
  const late = expect(store.listAgents()).rejects.toBeInstanceOf(StoreClosedError);
  expect((await created).epoch).toBe(1);
  expect((await Promise.all(swaps)).every(({ kind }) => kind === "committed")).toBe(true);
  await late;
  await closed;
});

it("L3: a closed store, and one that was refused, leave no handle", async () => {
  const before = workersOfThisProcess();
  const path = join(folder, "a.db");
  const store = await openSqliteCoordination({ path });
  await expect(openSqliteCoordination({ path })).rejects.toMatchObject({ code: "store.in-use" });
  await store.close();
  expect(workersOfThisProcess()).toBe(before);
  const child = fileURLToPath(new URL("./fixtures/opening-child.ts", import.meta.url));
  const args = ["--conditions=@glia-os/source", child, path];
  expect(spawnSync(process.execPath, args, { timeout: 30_000, encoding: "utf8" })).toMatchObject({
    status: 0,
    signal: null,
  });
});

const hasStrace = process.platform === "linux" && spawnSync("strace", ["-V"]).status === 0;

describe.skipIf(!hasStrace)("under strace (needs Linux with strace)", () => {
  it("F2, G1: the write-ahead log is flushed before each acknowledgement", () => {
    const child = fileURLToPath(new URL("./fixtures/flushing-child.ts", import.meta.url));
    const log = join(folder, "strace.log");
    const node = [process.execPath, "--conditions=@glia-os/source", child, join(folder, "a.db")];
    const args = ["-f", "-y", "-s", "64", "-o", log, "-e", "trace=fdatasync,fsync,write,pwrite64", ...node];
    expect(spawnSync("strace", args, { encoding: "utf8", timeout: 50_000 }).stderr).toBe("");
    const calls = tracedCalls(log);
    const acknowledgements = calls.flatMap((call, i) => (call.includes('"acknowledged') ? [i] : []));
    expect(acknowledgements.length).toBe(5);
    for (const [k, at] of acknowledgements.entries()) {
      const since = calls.slice(k === 0 ? 0 : acknowledgements[k - 1], at);
      const lastLogWrite = since.findLastIndex((call) => /pwrite64\(.*-wal>/.test(call));
      const flush = since.findLastIndex((call) => /f(data)?sync\(.*-wal>/.test(call));
      expect(lastLogWrite).toBeGreaterThanOrEqual(0);
      expect(flush).toBeGreaterThan(lastLogWrite);
    }
  });
});
