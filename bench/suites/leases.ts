/**
 * A lease from beginning to end on every engine: open a session, claim an agent under its fence, close the session. Each call is flushed and
 * awaited. Beside each, the bare client doing the least that could be called the same: write a row, change another one under a condition,
 * delete the first. No target: what an engine's flush costs is not ours to promise. An engine that is not installed has no row.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Epoch, toEpoch } from "@glia-os/abi/ids";
import type { Clock, Coordination } from "@glia-os/abi/ports";
import { etcdMissing, startEtcd } from "@glia-os/servers/etcd";
import { postgresMissing, startPostgres } from "@glia-os/servers/postgres";
import { openEtcdCoordination } from "@glia-os/store/etcd-coordination";
import { openPostgresCoordination } from "@glia-os/store/postgres-coordination";
import { openSqliteCoordination } from "@glia-os/store/sqlite";
import { agentNamed, newAgent, nodeNamed } from "@glia-os/store/testing";
import { Client } from "pg";
import type { Contestant, Suite } from "../src/suite.ts";

const AGENT = agentNamed("1");
const NODE = nodeNamed("a");
const clock: Clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };

/** Lease after lease on a store. */
async function leasing(store: Coordination, release: () => void | Promise<void>): Promise<Contestant> {
  const first = await store.openSession(NODE, 600_000, "first");
  let epoch: Epoch = (await store.createAgent(newAgent(AGENT, first, "leased"), "create")).epoch;
  let requests = 0;
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        requests += 1;
        const { sessionId } = await store.openSession(NODE, 600_000, `open-${requests}`);
        const change = { owner: NODE, sessionId, status: "running" } as const;
        const outcome = await store.compareAndSwap(AGENT, epoch, change, `claim-${requests}`);
        if (outcome.kind !== "committed") throw new RangeError(`a claim ended as ${outcome.kind}`);
        epoch = toEpoch(outcome.row.epoch);
        await store.closeSession(sessionId);
      }
    },
    async close() {
      await store.close();
      await release();
    },
  };
}

async function onSqlite(): Promise<Contestant> {
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  const store = await openSqliteCoordination({ path: join(folder, "store.db") });
  return leasing(store, () => rmSync(folder, { recursive: true }));
}

async function onPostgres(): Promise<Contestant> {
  const server = await startPostgres();
  return leasing(await openPostgresCoordination({ url: server.url, clock }), () => server.stop());
}

async function onEtcd(): Promise<Contestant> {
  const server = await startEtcd();
  return leasing(await openEtcdCoordination({ endpoints: [server.url], clock }), () => server.stop());
}

const TABLES = [
  "CREATE TABLE session (id TEXT PRIMARY KEY, fence INTEGER)",
  "CREATE TABLE agent (id TEXT PRIMARY KEY, epoch INTEGER, owner TEXT)",
  `INSERT INTO agent VALUES ('${AGENT}', 1, 'nobody')`,
];

function bareSqlite(): Contestant {
  const folder = mkdtempSync(join(tmpdir(), "glia-bench-"));
  const db = new DatabaseSync(join(folder, "bare.db"));
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  for (const text of TABLES) db.exec(text);
  const acquire = db.prepare("INSERT INTO session VALUES (?, ?)");
  const claim = db.prepare("UPDATE agent SET epoch = epoch + 1, owner = ? WHERE id = ? AND epoch = ?");
  const release = db.prepare("DELETE FROM session WHERE id = ?");
  let fence = 0;
  return {
    run(times) {
      for (let i = 0; i < times; i++) {
        fence += 1;
        acquire.run(`${NODE}:${fence}`, fence);
        if (claim.run(NODE, AGENT, fence).changes !== 1) throw new RangeError("no row changed");
        release.run(`${NODE}:${fence}`);
      }
    },
    close() {
      db.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function barePostgres(): Promise<Contestant> {
  const server = await startPostgres();
  const client = new Client({ connectionString: server.url });
  await client.connect();
  for (const text of TABLES) await client.query(text);
  let fence = 0;
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        fence += 1;
        const id = `${NODE}:${fence}`;
        await client.query({
          name: "acquire",
          text: "INSERT INTO session VALUES ($1, $2)",
          values: [id, fence],
        });
        const text = "UPDATE agent SET epoch = epoch + 1, owner = $1 WHERE id = $2 AND epoch = $3";
        const { rowCount } = await client.query({ name: "claim", text, values: [NODE, AGENT, fence] });
        if (rowCount !== 1) throw new RangeError("no row changed");
        await client.query({ name: "release", text: "DELETE FROM session WHERE id = $1", values: [id] });
      }
    },
    async close() {
      await client.end();
      await server.stop();
    },
  };
}

const coded = (text: string): string => Buffer.from(text).toString("base64");

async function bareEtcd(): Promise<Contestant> {
  const server = await startEtcd();
  const agent = new Agent({ keepAlive: true });
  const ask = (call: string, body: object): Promise<{ readonly succeeded?: boolean }> =>
    new Promise((resolve, reject) => {
      const asked = request(`${server.url}/v3/kv/${call}`, { method: "POST", agent }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => void parts.push(part));
        response.on("end", () => resolve(JSON.parse(Buffer.concat(parts).toString()) as object));
      });
      asked.on("error", reject);
      asked.end(JSON.stringify(body));
    });
  await ask("put", { key: coded(AGENT), value: coded("1") });
  let fence = 0;
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        fence += 1;
        const key = coded(`${NODE}:${fence}`);
        await ask("put", { key, value: coded(String(fence)) });
        const is = { key: coded(AGENT), target: "VALUE", result: "EQUAL", value: coded(String(fence)) };
        const put = { request_put: { key: coded(AGENT), value: coded(String(fence + 1)) } };
        const { succeeded } = await ask("txn", { compare: [is], success: [put] });
        if (succeeded !== true) throw new RangeError("the value was another one");
        await ask("deleterange", { key });
      }
    },
    async close() {
      agent.destroy();
      await server.stop();
    },
  };
}

const BARE = "the peer keeps no history, no outcome of the request and no fence, and checks no session";

export const suite: Suite = {
  title: "a lease: session, claim under its fence, end of the session",
  rows: [
    {
      id: "lease-on-sqlite",
      what: "one lease on the SQLite store, three flushed calls; peer: three flushed statements of node:sqlite",
      unit: "us",
      better: "lower",
      excludes: `opening; ${BARE}, and blocks the caller's thread`,
      glia: onSqlite,
      peers: { "node-sqlite": bareSqlite },
    },
    ...(postgresMissing() === undefined
      ? [
          {
            id: "lease-on-postgres",
            what: "one lease on a PostgreSQL server, three flushed calls; peer: three prepared statements of pg",
            unit: "us",
            better: "lower",
            excludes: `opening; ${BARE}`,
            glia: onPostgres,
            peers: { pg: barePostgres },
          } as const,
        ]
      : []),
    ...(etcdMissing() === undefined
      ? [
          {
            id: "lease-on-etcd",
            what: "one lease on an etcd server of one member, three flushed calls; peer: three calls of its JSON gateway",
            unit: "us",
            better: "lower",
            excludes: `opening; ${BARE}`,
            glia: onEtcd,
            peers: { "etcd-gateway": bareEtcd },
          } as const,
        ]
      : []),
  ],
};
