/** Coordination on a PostgreSQL server that is killed, stopped, held up, misconfigured or not there. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Coordination } from "@glia-os/abi/ports";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EngineConnection } from "../src/postgres/connection.ts";
import {
  openPostgresCoordination,
  type PostgresCoordinationOptions,
} from "../src/postgres/coordination/postgres-coordination.ts";
import { nodeNamed } from "../src/testing.ts";
import { workerClock } from "../src/worker-clock.ts";
import { proxyTo } from "./fixtures/cutting-proxy.ts";
import { expectGaplessHistory, historyOf } from "./fixtures/history.ts";
import { freshSchema, missing, serverForThisFile } from "./fixtures/postgres-harness.ts";
import {
  AGENT,
  DOWN,
  expectTypedAtEveryCut,
  rowOnce,
  swap,
  swapThrough,
  withAgent,
} from "./fixtures/through-faults.ts";

const server = serverForThisFile();
const rounds = process.env["GLIA_SOAK"] === "1" ? 40 : 3;
const lockingChild = fileURLToPath(new URL("./fixtures/locking-child.ts", import.meta.url));

let schema: string;
let opened: Coordination[];
let admin: Client | undefined;

beforeEach(({ skip }) => {
  skip(missing !== undefined, missing);
  schema = freshSchema();
  opened = [];
});

afterEach(async () => {
  await Promise.all((opened ?? []).map((store) => store.close()));
  await admin?.end();
  admin = undefined;
});

async function open(options: Partial<PostgresCoordinationOptions> = {}): Promise<Coordination> {
  const store = await openPostgresCoordination({ url: server().url, schema, clock: workerClock, ...options });
  opened.push(store);
  return store;
}

async function refusalOf(options: Partial<PostgresCoordinationOptions>): Promise<string | undefined> {
  return open(options).then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
}

/** A connection that is none of the store's. */
async function administrator(database = "postgres"): Promise<Client> {
  await admin?.end();
  admin = new Client({ connectionString: server().url.replace(/postgres$/, database) });
  await admin.connect();
  return admin;
}

describe("several clients", () => {
  it("S1: open one empty schema at the same time", async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => open()));
    const fences = await Promise.all(
      stores.map(
        async (store, i) => (await store.openSession(nodeNamed(String(i)), 60_000, `open-${i}`)).fence,
      ),
    );
    expect(fences.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("K1, K5: race for the same agents, and every epoch has one winner in one order that all see", async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
    const { session } = await withAgent(stores[0] as Coordination);
    const wins = await Promise.all(
      stores.map(async (store, client) => {
        let won = 0;
        for (let epoch = 1; epoch <= 60; epoch++) {
          const outcome = await swap(store, session, epoch, `client-${client}-${epoch}`);
          if (outcome.kind === "committed") won += 1;
          else expect(outcome).toMatchObject({ kind: "conflict" });
        }
        return won;
      }),
    );
    expect(wins.reduce((sum, won) => sum + won)).toBe(60);
    const histories = await Promise.all(stores.map(historyOf));
    expectGaplessHistory(histories[0] ?? []);
    for (const history of histories) expect(history).toEqual(histories[0]);
    expect(histories[0]?.length).toBe(61);
  });

  it("K3, K4: see each other's sessions end and each other's outcomes", async () => {
    const [one, other] = [await open(), await open()];
    const { session, row } = await withAgent(one);
    expect(await withAgent(other)).toEqual({ session, row });
    await other.openSession(nodeNamed("a"), 60_000, "open-again");
    await expect(one.renewSession(session.sessionId)).rejects.toMatchObject({
      code: "store.session-expired",
    });
    await expect(swap(one, session, 1, "late")).rejects.toMatchObject({ code: "store.session-expired" });
  });

  it("a lease counts from its last renewal through any client, on the clock of the client that judges", async () => {
    let now = 0;
    const clock = { monotonicMs: () => now, wallMs: () => 0 };
    const [one, other] = [await open({ clock }), await open({ clock })];
    const session = await one.openSession(nodeNamed("a"), 10_000, "open");
    now = 6_000;
    await other.renewSession(session.sessionId);
    now = 12_000;
    await one.renewSession(session.sessionId);
    now = 22_001;
    await expect(one.renewSession(session.sessionId)).rejects.toMatchObject({
      code: "store.session-expired",
    });
    await expect(other.renewSession(session.sessionId)).rejects.toMatchObject({
      code: "store.session-expired",
    });
  });
});

describe("a server", () => {
  it.for([
    ["BEGIN", "before its answer", "store.engine-unreachable", 0],
    ["FOR UPDATE", "before the server sees it", "store.engine-unreachable", 0],
    ["INSERT INTO", "before its answer", "store.engine-unreachable", 0],
    ["COMMIT\0", "before the server sees it", "store.outcome-unknown", 0],
    ["COMMIT\0", "before its answer", "store.outcome-unknown", 1],
  ] as const)(
    "C2: whose connection is cut at %j, %s, gives %s, and that is true",
    async ([at, when, code, fences]) => {
      const proxy = await proxyTo(server().url);
      const [store, beside] = [await open({ url: proxy.url }), await open()];
      const openSession = () => store.openSession(nodeNamed("a"), 60_000, "open");
      proxy.cutOnce({ at, when });
      await expect(openSession()).rejects.toMatchObject({ code });
      expect((await beside.openSession(nodeNamed("b"), 60_000, "beside")).fence).toBe(fences + 1);
      // The same request has one effect, whether it had one before or not.
      expect((await openSession()).fence).toBe(fences === 1 ? 1 : 2);
      await store.close();
      await proxy.close();
    },
  );

  it("C2: cut off at any step of any request answers with a typed error, and the repeated request has one effect", async () => {
    const proxy = await proxyTo(server().url);
    const store = await open({ url: proxy.url });
    await expectTypedAtEveryCut(store, proxy, ["BEGIN", "SELECT", "INSERT INTO", "UPDATE", "COMMIT\0"]);
    await store.close();
    await proxy.close();
  });

  it("C2: that is killed with kill -9 while it commits loses nothing acknowledged, and a repeated request has one effect", async () => {
    const store = await open({ timeoutMs: 2_000 });
    const { session } = await withAgent(store);
    let epoch = 1;
    for (let round = 0; round < rounds; round++) {
      const first = epoch;
      let settled = false;
      const swapping = swapThrough(store, session, first, () => settled);
      // Some commits first, then the machine "stops" in the middle of the next ones.
      while (((await store.getAgent(AGENT).catch(() => undefined))?.epoch ?? 0) < first + 5 + round * 3);
      await server().kill();
      await expect(store.getAgent(AGENT)).rejects.toMatchObject({ code: "store.engine-unreachable" });
      await server().restart();
      settled = true;
      epoch = await swapping;
      const before = epoch;
      epoch = await swapThrough(store, session, before, (now) => now > before);
    }
    const history = await historyOf(store);
    expectGaplessHistory(history);
    expect(history.at(-1)?.epoch).toBe(epoch);
  });

  it("C1: that is stopped with SIGSTOP refuses every request within the time limit, and goes on after SIGCONT", async () => {
    const store = await open({ timeoutMs: 500 });
    const { session } = await withAgent(store);
    server().signal("SIGSTOP");
    const asked = Array.from({ length: 600 }, (_, i) =>
      i % 3 === 0 ? swap(store, session, 1, `stopped-${i}`) : store.getAgent(AGENT),
    );
    const late = await Promise.allSettled(asked);
    for (const outcome of late) {
      expect(outcome.status).toBe("rejected");
      expect(DOWN).toContain(errorCodeOf((outcome as PromiseRejectedResult).reason));
    }
    const opening = await refusalOf({ timeoutMs: 500 });
    expect(opening).toBe("store.engine-unreachable");
    server().signal("SIGCONT");
    const { epoch: before } = await rowOnce(store);
    const epoch = await swapThrough(store, session, before, (now) => now > before);
    const history = await historyOf(store);
    expectGaplessHistory(history);
    expect(history.at(-1)?.epoch).toBe(epoch);
  });

  it("C1: whose lock another client holds refuses the change and nothing else, and takes it afterwards", async () => {
    const store = await open({ timeoutMs: 1_000 });
    const { session, row } = await withAgent(store);
    const holder = await administrator();
    await holder.query("BEGIN");
    await holder.query(`SELECT * FROM ${schema}.counter FOR UPDATE`);
    await expect(swap(store, session, 1, "held")).rejects.toMatchObject({ code: "store.engine-unreachable" });
    expect(await store.getAgent(AGENT)).toEqual(row);
    await holder.query("ROLLBACK");
    expect(await swap(store, session, 1, "held")).toMatchObject({ kind: "committed" });
  });

  it("that ended an idle connection is asked over a new one", async () => {
    const store = await open();
    const { row } = await withAgent(store);
    const { rows } = await (await administrator()).query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'glia-store'",
    );
    expect(rows.length).toBeGreaterThan(0);
    const answer = await store.getAgent(AGENT).catch(() => store.getAgent(AGENT));
    expect(answer).toEqual(row);
  });

  it("C3: ends the transaction of a client that is stopped while it holds the lock, and the others go on", async () => {
    const store = await open({ timeoutMs: 2_000 });
    const { session } = await withAgent(store);
    const child = spawn(
      process.execPath,
      ["--conditions=@glia-os/source", lockingChild, server().url, schema],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    try {
      await once(child.stdout, "data");
      child.kill("SIGSTOP");
      const epoch = await swapThrough(store, session, 1, (now) => now > 1);
      expect(epoch).toBe(2);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("C4: that would answer before it flushed is told to flush first, and one of another encoding is refused", async () => {
    const client = await administrator();
    await client.query("CREATE DATABASE hasty");
    await client.query("ALTER DATABASE hasty SET synchronous_commit = off");
    const connection = connectionWith(5_000, "hasty");
    const [row] = await connection.transaction("read", (ask) => ask("SHOW synchronous_commit"));
    expect(row).toEqual({ synchronous_commit: "on" });
    await connection.close();
    await client.query("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");
    expect(await refusalOf({ url: server().url.replace(/postgres$/, "latin") })).toBe("store.engine-unfit");
  });

  it("that is not there, or never answers, is refused as unreachable, without the password in the message", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    for (const at of [`127.0.0.1:${port}`, "127.0.0.1:1"]) {
      const opening = open({ url: `postgresql://someone:hunter2@${at}/x`, timeoutMs: 300 });
      await expect(opening).rejects.toMatchObject({
        code: "store.engine-unreachable",
        message: expect.not.stringContaining("hunter2"),
      });
    }
    silent.close();
  });

  it("without the database, with later tables, or that gives this user no right is refused by a typed error", async () => {
    expect(await refusalOf({ url: server().url.replace(/postgres$/, "nowhere") })).toBe("store.cannot-open");
    await open();
    const client = await administrator();
    await client.query(`UPDATE ${schema}.store SET version = 3`);
    expect(await refusalOf({})).toBe("store.schema-newer");
    await client.query(`UPDATE ${schema}.store SET version = 2`);
    await client.query("CREATE ROLE plain LOGIN");
    const url = server().url.replace("glia@", "plain@");
    expect(await refusalOf({ url })).toBe("store.not-writable");
    await client.query(`GRANT USAGE ON SCHEMA ${schema} TO plain`);
    await client.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO plain`);
    const store = await open({ url });
    expect((await store.openSession(nodeNamed("a"), 60_000, "open")).fence).toBe(1);
  });
});

it.each([
  [{ url: "" }],
  [{ url: "http://127.0.0.1/x" }],
  [{ url: "postgresql:///x" }],
  [{ url: 7 as never }],
  [{ schema: "" }],
  [{ schema: 'a"b' }],
  [{ schema: "Upper" }],
  [{ schema: "pg_catalog" }],
  [{ schema: "x".repeat(64) }],
  [{ timeoutMs: 99 }],
  [{ timeoutMs: Number.NaN }],
  [{ queueLimit: 0 }],
  [{ limits: { sessions: 0 } }],
])("the option %j is refused", async (option) => {
  expect(await refusalOf(option)).toBe("abi.malformed");
});

it("Q2, Q4: requests past the queue limit are refused, those before are answered, also when the store is closed meanwhile", async () => {
  const store = await open({ queueLimit: 3 });
  const asked = [1, 2, 3, 4, 5].map(() => store.getAgent(AGENT).then(() => "answered", errorCodeOf));
  const closed = store.close();
  expect(await Promise.all(asked)).toEqual([
    "answered",
    "answered",
    "answered",
    "store.queue-full",
    "store.queue-full",
  ]);
  await closed;
  await expect(store.getAgent(AGENT)).rejects.toMatchObject({ code: "store.closed" });
});

function connectionWith(timeoutMs: number, database = "postgres"): EngineConnection {
  const url = server().url.replace(/postgres$/, database);
  return new EngineConnection({ url, place: "the server", timeoutMs });
}
