/** Coordination on an etcd server that is killed, stopped, cut off, replaced, full or not there. */
import { createServer } from "node:http";
import { errorCodeOf } from "@glia-os/abi/errors";
import type { Coordination } from "@glia-os/abi/ports";
import { type EtcdServer, startEtcd } from "@glia-os/servers/etcd";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type EtcdCoordinationOptions,
  openEtcdCoordination,
} from "../src/etcd/coordination/etcd-coordination.ts";
import { nodeNamed } from "../src/testing.ts";
import { workerClock } from "../src/worker-clock.ts";
import { proxyTo } from "./fixtures/cutting-proxy.ts";
import { etcdKeys, etcdPut } from "./fixtures/etcd-client.ts";
import { freshPrefix, missing, serverForThisFile } from "./fixtures/etcd-harness.ts";
import { expectGaplessHistory, historyOf } from "./fixtures/history.ts";
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

let prefix: string;
let opened: Coordination[];
let second: EtcdServer | undefined;

beforeEach(({ skip }) => {
  skip(missing !== undefined, missing);
  prefix = freshPrefix();
  opened = [];
});

afterEach(async () => {
  await Promise.all((opened ?? []).map((store) => store.close()));
  await second?.stop();
  second = undefined;
});

async function open(options: Partial<EtcdCoordinationOptions> = {}): Promise<Coordination> {
  const store = await openEtcdCoordination({
    endpoints: [server().url],
    prefix,
    clock: workerClock,
    ...options,
  });
  opened.push(store);
  return store;
}

async function refusalOf(options: Partial<EtcdCoordinationOptions>): Promise<string | undefined> {
  return open(options).then(
    () => undefined,
    (error: unknown) => errorCodeOf(error),
  );
}

describe("several clients", () => {
  it("open one empty prefix at the same time", async () => {
    const stores = await Promise.all(Array.from({ length: 6 }, () => open()));
    const fences = await Promise.all(
      stores.map(
        async (store, i) => (await store.openSession(nodeNamed(String(i)), 60_000, `open-${i}`)).fence,
      ),
    );
    expect(fences.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("G1, G2: race for the same agents, and every epoch has one winner in one order that all see", async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => open()));
    const { session } = await withAgent(stores[0] as Coordination);
    const wins = await Promise.all(
      stores.map(async (store, client) => {
        let won = 0;
        for (let epoch = 1; epoch <= 40; epoch++) {
          const outcome = await swap(store, session, epoch, `client-${client}-${epoch}`);
          if (outcome.kind === "committed") won += 1;
          else expect(outcome).toMatchObject({ kind: "conflict" });
        }
        return won;
      }),
    );
    expect(wins.reduce((sum, won) => sum + won)).toBe(40);
    const histories = await Promise.all(stores.map(historyOf));
    expectGaplessHistory(histories[0] ?? []);
    for (const history of histories) expect(history).toEqual(histories[0]);
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

  it("B1: keep no more keys than the limits say, and an outcome whose id was used again stays", async () => {
    const store = await open({ limits: { requests: 40, changes: 10 } });
    const { session } = await withAgent(store);
    for (let epoch = 1; epoch <= 150; epoch++) {
      await swap(store, session, epoch, `swap-${epoch % 50}`);
    }
    expect((await etcdKeys(server(), `${prefix}/outcome/`)).length).toBeLessThan(40 + 2 * 32);
    expect((await etcdKeys(server(), `${prefix}/order/`)).length).toBeLessThan(40 + 2 * 32);
    expect((await etcdKeys(server(), `${prefix}/change/`)).length).toBeLessThanOrEqual(10 + 1);
    expect(await swap(store, session, 150, "swap-0")).toMatchObject({ kind: "committed" });
    expect(await swap(store, session, 111, "swap-11")).toMatchObject({ kind: "committed" });
  });

  it("make room for a session by removing those that expired, more than one transaction holds", async () => {
    let now = 0;
    const clock = { monotonicMs: () => now, wallMs: () => 0 };
    const store = await open({ clock, limits: { sessions: 130 } });
    const node = (i: number) => i.toString(16).padStart(64, "0") as never;
    await Promise.all(Array.from({ length: 130 }, (_, i) => store.openSession(node(i), 1_000, `open-${i}`)));
    await expect(store.openSession(node(200), 1_000, "one-too-many")).rejects.toMatchObject({
      code: "store.too-many-sessions",
    });
    now = 1_000;
    expect((await store.openSession(node(200), 1_000, "after")).fence).toBe(131);
    expect(await etcdKeys(server(), `${prefix}/session/`)).toHaveLength(1);
  });
});

describe("a server", () => {
  it.for([
    ["request_range", "before the server sees it", "store.engine-unreachable", 0],
    ["request_put", "before the server sees it", "store.outcome-unknown", 0],
    ["request_put", "before its answer", "store.outcome-unknown", 1],
  ] as const)(
    "C2: whose connection is cut at %j, %s, gives %s, and that is true",
    async ([at, when, code, fences]) => {
      const proxy = await proxyTo(server().url);
      const [store, beside] = [await open({ endpoints: [origin(proxy.url)] }), await open()];
      const openSession = () => store.openSession(nodeNamed("a"), 60_000, "open");
      proxy.cutOnce({ at, when });
      await expect(openSession()).rejects.toMatchObject({ code });
      expect((await beside.openSession(nodeNamed("b"), 60_000, "beside")).fence).toBe(fences + 1);
      expect((await openSession()).fence).toBe(fences === 1 ? 1 : 2);
      await store.close();
      await proxy.close();
    },
  );

  it("C2: cut off at any step of any request answers with a typed error, and the repeated request has one effect", async () => {
    const proxy = await proxyTo(server().url);
    const store = await open({ endpoints: [origin(proxy.url)] });
    await expectTypedAtEveryCut(store, proxy, ["request_range", "request_put"]);
    await store.close();
    await proxy.close();
  });

  it("that is killed with kill -9 while it commits loses nothing acknowledged, and a repeated request has one effect", async () => {
    const store = await open({ timeoutMs: 2_000 });
    const { session } = await withAgent(store);
    let epoch = 1;
    for (let round = 0; round < rounds; round++) {
      const first = epoch;
      let settled = false;
      const swapping = swapThrough(store, session, first, () => settled);
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
    for (const outcome of await Promise.allSettled(asked)) {
      expect(outcome.status).toBe("rejected");
      expect(DOWN).toContain(errorCodeOf((outcome as PromiseRejectedResult).reason));
    }
    const opening = await refusalOf({ timeoutMs: 500 });
    server().signal("SIGCONT");
    expect(DOWN).toContain(opening);
    const { epoch: before } = await rowOnce(store);
    const epoch = await swapThrough(store, session, before, (now) => now > before);
    const history = await historyOf(store);
    expectGaplessHistory(history);
    expect(history.at(-1)?.epoch).toBe(epoch);
  });

  it("C3: that was replaced by an empty one, or whose keys were removed, is refused: epochs would repeat", async () => {
    second = await startEtcd();
    const store = await open({ endpoints: [second.url] });
    await withAgent(store);
    await second.replace();
    await expect(store.getAgent(AGENT)).rejects.toMatchObject({ code: "store.engine-unfit" });
    const other = await open({ endpoints: [second.url] });
    await etcdKeys(second, `${prefix}/`, "delete");
    await expect(other.openSession(nodeNamed("b"), 60_000, "after")).rejects.toMatchObject({
      code: "store.engine-unreachable",
      message: expect.stringContaining("gone"),
    });
  });

  it("that has no room refuses changes with store.full, changes nothing, and still answers reads", async () => {
    second = await startEtcd(["--quota-backend-bytes", "1048576"]);
    const store = await open({ endpoints: [second.url] });
    const { session, row } = await withAgent(store);
    while (await etcdPut(second, "filler", "x".repeat(200_000)));
    await expect(swap(store, session, 1, "full")).rejects.toMatchObject({ code: "store.full" });
    expect(await store.getAgent(AGENT)).toEqual(row);
  });

  it("whose keys are of a later version, or no counters, is refused by name and not written", async () => {
    await etcdPut(server(), `${prefix}/counters`, JSON.stringify({ format: 2 }));
    expect(await refusalOf({})).toBe("store.schema-newer");
    for (const value of ["", "7", "null", "{}", '{"format":1,"fence":"x"}', '{"format":1']) {
      await etcdPut(server(), `${prefix}/counters`, value);
      expect(await refusalOf({}), value).toBe("store.corrupt");
    }
    expect(await etcdKeys(server(), `${prefix}/`)).toEqual([`${prefix}/counters`]);
  });

  it("is found among endpoints of which others are not there or never answer", async () => {
    const store = await open({ endpoints: ["http://127.0.0.1:1", server().url] });
    expect((await store.openSession(nodeNamed("a"), 60_000, "open")).fence).toBe(1);
    expect(await refusalOf({ endpoints: ["http://127.0.0.1:1"] })).toBe("store.engine-unreachable");
    const silent = createServer(() => {});
    const url = await listening(silent);
    expect(DOWN).toContain(await refusalOf({ endpoints: [url], timeoutMs: 100 }));
    silent.closeAllConnections();
    silent.close();
  });

  it.for([
    [404, "page not found", "store.engine-unfit"],
    [200, "<html>", "store.outcome-unknown"],
    [200, "{}", "store.engine-unfit"],
    [200, '{"header":{"cluster_id":"1","revision":"x"}}', "store.engine-unfit"],
    [503, '{"error":"etcdserver: no leader","code":14}', "store.outcome-unknown"],
    [400, '{"error":"etcdserver: user name is empty","code":3}', "store.cannot-open"],
    [403, '{"error":"etcdserver: permission denied","code":7}', "store.not-writable"],
    [429, '{"error":"etcdserver: too many requests","code":8}', "store.engine-unreachable"],
    [500, '{"error":"etcdserver: mvcc: database space exceeded","code":8}', "store.full"],
    [502, "", "store.outcome-unknown"],
  ] as const)("that answers %i %j to the first change is refused with %s", async ([status, body, code]) => {
    const odd = createServer((_request, response) => void response.writeHead(status).end(body));
    expect(await refusalOf({ endpoints: [await listening(odd)] })).toBe(code);
    odd.close();
  });
});

it.each([
  [{ endpoints: [] }],
  [{ endpoints: Array.from({ length: 17 }, () => "http://127.0.0.1:1") }],
  [{ endpoints: ["127.0.0.1:2379"] }],
  [{ endpoints: ["http://user:secret@127.0.0.1:1"] }],
  [{ endpoints: ["http://127.0.0.1:1/v3"] }],
  [{ endpoints: "http://127.0.0.1:1" as never }],
  [{ prefix: "" }],
  [{ prefix: "a b" }],
  [{ prefix: "a/" }],
  [{ prefix: "x".repeat(129) }],
  [{ timeoutMs: 99 }],
  [{ queueLimit: 0 }],
  [{ limits: { sessions: 0 } }],
])("the option %j is refused", async (option) => {
  expect(await refusalOf(option)).toBe("abi.malformed");
});

function origin(url: string): string {
  return new URL(url).origin;
}

async function listening(odd: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => void odd.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(odd.address() as { port: number }).port}`;
}
