/**
 * A store that waits for a lock, a disk or a server does not stop the loop of its caller: the lock below is let go only after that loop has
 * answered as many heartbeats as there are in 1.5 seconds. A store that stopped the loop would wait for ever.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setEnvironmentData } from "node:worker_threads";
import type { Coordination } from "@glia-os/abi/ports";
import { expect, it } from "vitest";
import { openEtcdCoordination } from "../src/etcd/coordination/etcd-coordination.ts";
import { openPostgresCoordination } from "../src/postgres/coordination/postgres-coordination.ts";
import { openSqliteCoordination } from "../src/sqlite.ts";
import { nodeNamed } from "../src/testing.ts";
import { workerClock } from "../src/worker-clock.ts";
import {
  serverForThisFile as etcdForThisFile,
  missing as etcdMissing,
  freshPrefix,
} from "./fixtures/etcd-harness.ts";
import { temporaryFolder } from "./fixtures/harness.ts";
import { heartbeatsServed } from "./fixtures/heartbeats.ts";
import {
  freshSchema,
  serverForThisFile as postgresForThisFile,
  missing as postgresMissing,
} from "./fixtures/postgres-harness.ts";

const BEATS = 75;
const LONG_MS = 60_000;
const etcd = etcdForThisFile();
const postgres = postgresForThisFile();
const lockingChild = fileURLToPath(new URL("./fixtures/locking-child.ts", import.meta.url));

/** Ask for a change, serve heartbeats while it waits, then let go of what it waits for. */
async function expectServed(store: Coordination, letGo: () => void): Promise<void> {
  let waits = true;
  const asked = store.openSession(nodeNamed("a"), 60_000, "open").finally(() => {
    waits = false;
  });
  await heartbeatsServed(BEATS);
  expect(waits).toBe(true);
  letGo();
  expect((await asked).fence).toBe(1);
  await store.close();
}

it("a SQLite store whose thread stands still leaves the loop free", async () => {
  const held = new Int32Array(new SharedArrayBuffer(4));
  setEnvironmentData("held", held.buffer);
  const folder = temporaryFolder();
  const workerUrl = new URL("./fixtures/held-worker.ts", import.meta.url);
  const store = await openSqliteCoordination({ path: join(folder, "a.db"), workerUrl });
  held[0] = 1;
  await expectServed(store, () => {
    held[0] = 0;
    Atomics.notify(held, 0);
  });
  rmSync(folder, { recursive: true });
});

it("a PostgreSQL store leaves the loop free while another process holds its lock", async ({ skip }) => {
  skip(postgresMissing !== undefined, postgresMissing);
  const schema = freshSchema();
  const { url } = postgres();
  const store = await openPostgresCoordination({ url, schema, clock: workerClock, timeoutMs: LONG_MS });
  const args = ["--conditions=@glia-os/source", lockingChild, url, schema, String(LONG_MS)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  await expectServed(store, () => void child.kill("SIGKILL"));
});

it("an etcd store leaves the loop free while its server stands still", async ({ skip }) => {
  skip(etcdMissing !== undefined, etcdMissing);
  const endpoints = [etcd().url];
  const prefix = freshPrefix();
  const store = await openEtcdCoordination({ endpoints, prefix, clock: workerClock, timeoutMs: LONG_MS });
  etcd().signal("SIGSTOP");
  await expectServed(store, () => etcd().signal("SIGCONT"));
});
