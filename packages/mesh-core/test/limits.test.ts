/** Every bound that is not hit elsewhere: sessions, outboxes, links, locations, arrivals, probes. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import { inOnePiece } from "../src/codec/joined-bytes.ts";
import { Links, OPEN_LINKS_MAX, WAITERS_MAX } from "../src/links/links.ts";
import { LOCATIONS_MAX, LocationCache } from "../src/links/location-cache.ts";
import { dataBody } from "../src/links/messages.ts";
import { BROADCASTS_MAX, BroadcastQueue } from "../src/membership/broadcast-queue.ts";
import { Deadlines } from "../src/membership/deadlines.ts";
import { MEMBERSHIP_PROFILES } from "../src/membership/parameters.ts";
import { PROBES_MAX, Probes } from "../src/membership/probe.ts";
import { ARRIVALS_MAX, Arrivals, CHUNKS_HELD_MAX, IDLE_MS } from "../src/migration/arrivals.ts";
import {
  activateBody,
  chunkBody,
  firstHash,
  MOVE_METHODS,
  nextHash,
  planBody,
  stageBody,
} from "../src/migration/messages.ts";
import { PENDING_MAX } from "../src/peers/sessions.ts";
import { SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { agentId, Cluster } from "./cluster.ts";
import { CounterCells } from "./counter-cells.ts";
import { digests, idOf, signerOf } from "./digests.ts";

const node = (n: number): NodeId => n.toString(16).padStart(64, "0") as NodeId;
const linkId = (n: number): string => n.toString(16).padStart(32, "0");

describe("sessions", () => {
  it("S4: no more sessions than the bound wait for admission, and members still get in afterwards", async () => {
    const cluster = new Cluster(71);
    await cluster.boot(1);
    const address = cluster.anchor.mesh.address ?? { host: "", port: 0 };
    let refusedAtOnce = 0;
    for (let n = 0; n <= PENDING_MAX; n++) {
      const signer = signerOf(1000 + n);
      const { transport } = cluster.network.process({ node: idOf(signer), publicKey: signer.publicKey });
      const session = await cluster.time.settle(transport.connect(address));
      session.closed.then(({ reason }) => {
        if (reason === "no room") refusedAtOnce++;
      });
    }
    await cluster.time.advance(100);
    expect(refusedAtOnce).toBe(1);
    await cluster.time.advance(10_000);
    await cluster.join(1, "edge");
    expect(cluster.anchor.mesh.members()).toHaveLength(2);
  });

  it("both ends dialling at once still admit each other", async () => {
    const cluster = new Cluster(72);
    await cluster.boot(3);
    const [a, b] = [cluster.node(1), cluster.node(2)];
    for (const each of [a, b]) each.mesh.handle("hi", async () => new Uint8Array(1));
    for (let round = 0; round < 5; round++) {
      cluster.network.breakSessions(a.id, b.id);
      await cluster.time.advance(1000);
      const calls = [a.mesh.call(b.id, "hi", new Uint8Array(0)), b.mesh.call(a.id, "hi", new Uint8Array(0))];
      expect(await cluster.time.settle(Promise.all(calls))).toHaveLength(2);
    }
  });

  it("the founder comes back with nobody there, and the others find it again", async () => {
    const cluster = new Cluster(73);
    await cluster.boot(3);
    const founder = cluster.anchor;
    const credentials = founder.mesh.credentials();
    const bind = founder.mesh.address ?? { host: "", port: 0 };
    founder.process.crash();
    await cluster.time.advance(60_000);
    const again = cluster.build(
      0,
      "core",
      {
        kind: "member",
        credentials,
        contacts: [{ host: "memory", port: 9 }],
        clusterSigner: signerOf(0, "cluster"),
      },
      { bootEpoch: 2, bind },
    );
    await cluster.time.settle(again.mesh.start());
    const whole = () => again.mesh.members().filter(({ state }) => state === "alive").length === 3;
    expect(await cluster.time.advanceUntil(whole, 120_000)).toBe(true);
  });
});

describe("links and hints", () => {
  it("LN1: open links are bounded, and an ended one makes room", () => {
    const time = new VirtualTime();
    const links = new Links({
      self: node(1),
      timers: time,
      random: new SeededRandom(1),
      cells: undefined,
      coordination: () => {
        throw new TypeError("unused");
      },
      send: () => undefined,
      congested: () => false,
      addressHint: () => undefined,
    });
    for (let n = 0; n < OPEN_LINKS_MAX; n++) links.open(agentId(n));
    expect(() => links.open(agentId(OPEN_LINKS_MAX))).toThrow(
      expect.objectContaining({ code: "mesh.link-limit" }),
    );
    links.open(agentId(0)).stop();
    expect(() => links.open(agentId(OPEN_LINKS_MAX))).not.toThrow();
  });

  it("LN3: waiting senders are told where an agent went, at most so many", () => {
    const time = new VirtualTime();
    const cells = new CounterCells(node(1), time);
    cells.deliver = () => ({ kind: "retry", retryAfterMs: 5 });
    const told: NodeId[] = [];
    const links = new Links({
      self: node(1),
      timers: time,
      random: new SeededRandom(1),
      cells,
      coordination: () => {
        throw new TypeError("unused");
      },
      send: (to) => void told.push(to),
      congested: () => false,
      addressHint: () => undefined,
    });
    for (let n = 0; n < WAITERS_MAX + 10; n++) {
      const data = {
        link: linkId(n),
        agent: agentId(1),
        floor: 1,
        firstSeq: 1,
        messages: [{ ask: false, payload: new Uint8Array(4) }],
      };
      links.receive(
        { node: node(n), role: "edge" },
        { kind: "linkData", requestId: 1, body: dataBody(data) },
      );
    }
    told.length = 0;
    const moved = { agent: agentId(1), epoch: 2 as Epoch, owner: node(5), address: undefined };
    links.moved(moved);
    expect(told).toHaveLength(WAITERS_MAX);
    links.moved(moved);
    expect(told).toHaveLength(WAITERS_MAX);
  });

  it("LC1, LC2: the highest epoch holds, and the longest-unused hint gives way", () => {
    const cache = new LocationCache();
    const at = (n: number, epoch: number, owner = 1) => ({
      agent: agentId(n),
      owner: node(owner),
      epoch: epoch as Epoch,
    });
    cache.learn(at(0, 5, 2));
    expect(cache.learn(at(0, 4, 3)).owner).toBe(node(2));
    cache.forget(agentId(0), node(3));
    expect(cache.get(agentId(0))).toBeDefined();
    for (let n = 1; n < LOCATIONS_MAX; n++) cache.learn(at(n, 1));
    cache.get(agentId(0));
    cache.learn(at(LOCATIONS_MAX, 1));
    expect(cache.get(agentId(0))).toBeDefined();
    expect(cache.get(agentId(1))).toBe(undefined);
  });

  it("broadcasts and probes are bounded", () => {
    const queue = new BroadcastQueue(4);
    for (let n = 0; n <= BROADCASTS_MAX; n++) queue.add(`${n}`, new Uint8Array(10));
    expect(queue.size).toBe(BROADCASTS_MAX);
    let pings = 0;
    const time = new VirtualTime();
    const ignore = (): void => undefined;
    const probes = new Probes(
      {
        parameters: MEMBERSHIP_PROFILES.lan,
        clock: time,
        timers: time,
        deadlines: new Deadlines({ clock: time, timers: time, toleranceMs: 250, late: ignore }),
        ping: () => void pings++,
        pingReq: ignore,
        ack: ignore,
        nack: ignore,
        helpers: () => [],
        succeeded: ignore,
        failed: ignore,
      },
      0,
    );
    for (let n = 0; n <= PROBES_MAX; n++) probes.start(node(n), 1000);
    for (let n = 0; n <= PROBES_MAX; n++) probes.relay(node(1), n, node(n));
    expect(pings).toBe(2 * PROBES_MAX);
  });
});

describe("arrivals", () => {
  const source = { node: node(1), role: "edge" as const };
  const move = (n: number): Uint8Array => new Uint8Array(16).fill(n + 1);

  function arriving() {
    const time = new VirtualTime();
    const cells = new CounterCells(node(2), time);
    const arrivals = new Arrivals({
      self: node(2),
      clock: time,
      timers: time,
      digests,
      cells,
      coordination: () => {
        throw new TypeError("unused");
      },
      sessionId: () => "session",
      call: () => Promise.reject(new TypeError("unused")),
      onLive: () => undefined,
    });
    const methods = new Map(arrivals.methods());
    const ask = async (method: string, body: Uint8Array, caller = source): Promise<string | undefined> => {
      try {
        await time.settle(methods.get(method)?.(caller, body) ?? Promise.reject(), 1000);
        return undefined;
      } catch (error) {
        return errorCodeOf(error) ?? String(error);
      }
    };
    const plan = (n: number, agent: AgentId = agentId(n), epoch = 1): Uint8Array =>
      planBody({
        move: move(n),
        agent,
        epoch: epoch as Epoch,
        estimatedBytes: 10,
        meta: Uint8Array.of(1, 2, 3),
      });
    return { time, cells, arrivals, ask, plan, methods };
  }

  const part = (
    n: number,
    offset: number,
    bytes: Uint8Array,
    hash = nextHash(digests, firstHash(digests, move(n)), bytes),
  ) => inOnePiece(chunkBody({ move: move(n), offset, hash, bytes }));

  it("MA4: no more agents arrive at once than the bound; idle ones are dropped", async () => {
    const { time, arrivals, ask, plan } = arriving();
    for (let n = 0; n < ARRIVALS_MAX; n++) expect(await ask(MOVE_METHODS.plan, plan(n))).toBe(undefined);
    expect(await ask(MOVE_METHODS.plan, plan(ARRIVALS_MAX))).toBe("mesh.migration-refused");
    expect(await ask(MOVE_METHODS.plan, plan(0)), "a repeated plan is answered").toBe(undefined);
    await time.advance(IDLE_MS + 1);
    expect(arrivals.size).toBe(0);
  });

  it("MA3: a chunk with a wrong hash, of another node, past the end, or one too many is refused", async () => {
    const { ask, plan, arrivals } = arriving();
    const bytes = new Uint8Array(10);
    await ask(MOVE_METHODS.plan, plan(0));
    expect(await ask(MOVE_METHODS.chunk, part(0, 0, bytes), { node: node(9), role: "edge" })).toBe(
      "mesh.migration-refused",
    );
    expect(await ask(MOVE_METHODS.chunk, part(5, 0, bytes))).toBe("mesh.migration-refused");
    expect(await ask(MOVE_METHODS.chunk, part(0, 0, bytes, new Uint8Array(32)))).toBe("mesh.chunk-corrupt");
    expect(arrivals.size, "the copy was dropped").toBe(0);
    await ask(MOVE_METHODS.plan, plan(1));
    expect(await ask(MOVE_METHODS.chunk, part(1, 0, bytes))).toBe(undefined);
    expect(await ask(MOVE_METHODS.chunk, part(1, 0, bytes)), "a repeated one is answered").toBe(undefined);
    expect(await ask(MOVE_METHODS.chunk, part(1, 5, bytes))).toBe("mesh.chunk-corrupt");
    // One for more bytes than came waits for them (arrivals.test.ts); these came, and are others.
    expect(await ask(MOVE_METHODS.stage, stageBody(move(1), 10, firstHash(digests, move(1))))).toBe(
      "mesh.chunk-corrupt",
    );
    expect(await ask(MOVE_METHODS.activate, activateBody(move(1), 2 as Epoch)), "MA1").toBe(
      "mesh.migration-refused",
    );
  });

  it("MA4: chunks that leave a gap are held up to a bound", async () => {
    const { ask, plan, methods } = arriving();
    await ask(MOVE_METHODS.plan, plan(0));
    for (let n = 1; n <= CHUNKS_HELD_MAX; n++)
      methods
        .get(MOVE_METHODS.chunk)?.(source, part(0, n * 10, new Uint8Array(10)))
        .catch(() => undefined);
    expect(await ask(MOVE_METHODS.chunk, part(0, 500, new Uint8Array(10)))).toBe("mesh.chunk-corrupt");
  });

  it("MA2: another source cannot push an arriving agent aside without a higher epoch", async () => {
    const { ask, plan, arrivals } = arriving();
    await ask(MOVE_METHODS.plan, plan(0, agentId(1), 3));
    const other = { node: node(7), role: "edge" as const };
    expect(await ask(MOVE_METHODS.plan, plan(1, agentId(1), 3), other)).toBe("mesh.migration-refused");
    expect(await ask(MOVE_METHODS.plan, plan(2, agentId(1), 4), other)).toBe(undefined);
    expect(arrivals.size).toBe(1);
  });
});
