/** The registry: what is refused, who holds what, and the same behaviour by both strategies. */

import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { Meter } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOCK_SKEW_MS } from "../src/admission/certificate.ts";
import { encodeCbor } from "../src/index.ts";
import {
  type AgentRecord,
  AgentRecords,
  agentKey,
  RECORD_TTL_MS,
  remainingMs,
} from "../src/registry/agent-record.ts";
import { LookupMeasures } from "../src/registry/lookup-measures.ts";
import { RecordStore } from "../src/registry/record-store.ts";
import { PUBLISHED_MAX, REGISTRY_METHODS, REPLICATION } from "../src/registry/registry.ts";
import { rendezvous } from "../src/registry/rendezvous.ts";
import { SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import {
  agentNumber,
  cheapSigner,
  digests,
  epoch,
  identity,
  Overlay,
  type StrategyKind,
} from "./overlay-nodes.ts";

const agent = agentNumber(7);

function speaker(n: number, time: VirtualTime): { id: NodeId; records: AgentRecords } {
  const vouch = identity(n, "core", time);
  return { id: idOf(vouch.signer), records: new AgentRecords(vouch) };
}

function recordOf(id: NodeId, time: VirtualTime, more: Partial<AgentRecord> = {}): AgentRecord {
  const issuedMs = Math.floor(time.wallMs());
  const who = { agent, name: "", owner: id, epoch: epoch(1), boot: 1, seq: 1 };
  return {
    ...who,
    addresses: [{ host: "10.0.0.1", port: 9 }],
    status: "live",
    issuedMs,
    ttlMs: RECORD_TTL_MS,
    ...more,
  };
}

describe("the record store", () => {
  it("R5: forged, foreign, expired, future and older records are refused, counted and not stored", async () => {
    const time = new VirtualTime();
    const [owner, other] = [speaker(1, time), speaker(2, time)];
    const store = new RecordStore({ clock: time, digests, records: owner.records });
    const code = (bytes: Uint8Array): unknown => {
      try {
        return store.put(bytes).stored;
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    const bytes = owner.records.sign(recordOf(owner.id, time, { seq: 5 }));
    const forged = Uint8Array.from(bytes);
    forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
    expect(code(forged)).toBe("mesh.certificate-invalid");
    expect(code(other.records.sign(recordOf(owner.id, time)))).toBe("overlay.record-refused");
    expect(
      code(owner.records.sign(recordOf(owner.id, time, { issuedMs: time.wallMs() + CLOCK_SKEW_MS + 1 }))),
    ).toBe("overlay.record-refused");
    const old = time.wallMs() - RECORD_TTL_MS - CLOCK_SKEW_MS;
    expect(code(owner.records.sign(recordOf(owner.id, time, { issuedMs: old })))).toBe(
      "overlay.record-refused",
    );
    expect(code(Uint8Array.of(1, 2, 3))).toBe("mesh.malformed-message");
    expect([store.size, code(bytes), code(bytes)]).toEqual([0, true, true]);
    expect(code(owner.records.sign(recordOf(owner.id, time, { seq: 4 })))).toBe(false);
    expect(code(other.records.sign(recordOf(other.id, time, { epoch: epoch(1), boot: 1, seq: 5 })))).toBe(
      false,
    );
    expect(store.get(agentKey(digests, agent))).toEqual(bytes);
    expect(store.refusals()).toEqual({ forged: 3, expired: 2, stale: 2, full: 0 });
  });

  it("RS2: the store and one speaker's share of it are bounded", async () => {
    const time = new VirtualTime();
    const [a, b] = [speaker(1, time), speaker(2, time)];
    const store = new RecordStore({ clock: time, digests, records: a.records, max: 5, perSpeaker: 3 });
    const put = (who: typeof a, n: number): string => {
      try {
        return String(store.put(who.records.sign(recordOf(who.id, time, { agent: agentNumber(n) }))).stored);
      } catch (error) {
        return errorCodeOf(error) ?? "?";
      }
    };
    expect([1, 2, 3, 4].map((n) => put(a, n))).toEqual(["true", "true", "true", "overlay.store-full"]);
    expect([5, 6, 7].map((n) => put(b, n))).toEqual(["true", "true", "overlay.store-full"]);
    expect(store.refusals().full).toBe(2);
    await time.advance(RECORD_TTL_MS);
    expect([put(b, 7), store.size]).toEqual(["true", 1]);
  });

  it("AR3: a wall clock that jumps back keeps no record alive, and none outlives its time", async () => {
    const time = new VirtualTime();
    const owner = speaker(1, time);
    let shiftMs = 0;
    const clock = { monotonicMs: () => time.monotonicMs(), wallMs: () => time.wallMs() + shiftMs };
    const store = new RecordStore({ clock, digests, records: owner.records });
    store.put(owner.records.sign(recordOf(owner.id, time)));
    shiftMs = -86_400_000;
    await time.advance(RECORD_TTL_MS - 1);
    expect(store.get(agentKey(digests, agent))).toBeDefined();
    await time.advance(1);
    expect(store.get(agentKey(digests, agent))).toBeUndefined();
    fc.assert(
      fc.property(fc.integer({ min: -CLOCK_SKEW_MS, max: 2_000_000 }), (ageMs) => {
        const left = remainingMs(
          recordOf(owner.id, time, { issuedMs: time.wallMs() - ageMs }),
          time.wallMs(),
        );
        expect(left).toBeLessThanOrEqual(RECORD_TTL_MS);
        expect(ageMs + left).toBeLessThanOrEqual(RECORD_TTL_MS + CLOCK_SKEW_MS);
      }),
    );
  });

  it("RS4: a second agent does not take a name over", () => {
    const time = new VirtualTime();
    const owner = speaker(1, time);
    const store = new RecordStore({ clock: time, digests, records: owner.records });
    const first = owner.records.sign(recordOf(owner.id, time, { agent: agentNumber(1), name: "worker" }));
    const second = owner.records.sign(
      recordOf(owner.id, time, { agent: agentNumber(2), name: "worker", epoch: epoch(9) }),
    );
    store.put(first);
    store.put(second);
    expect([store.size, store.get(agentKey(digests, agentNumber(2)))]).toEqual([2, second]);
    const gone = owner.records.sign(recordOf(owner.id, time, { agent: agentNumber(1), name: "", seq: 2 }));
    store.put(gone);
    store.put(
      owner.records.sign(
        recordOf(owner.id, time, { agent: agentNumber(2), name: "worker", epoch: epoch(9), seq: 2 }),
      ),
    );
    expect(store.size).toBe(2);
  });
});

describe("rendezvous hashing", () => {
  const ids = Array.from({ length: 40 }, (_, n) => idOf(cheapSigner(n)));
  const keys = Array.from({ length: 2000 }, (_, n) => agentKey(digests, agentNumber(n)));

  it("ranks the same from any order, spreads evenly, and moves only what a lost node held", () => {
    const counts = new Map<NodeId, number>();
    const without = ids.slice(1);
    for (const key of keys) {
      const ranked = rendezvous(key, ids, 3);
      expect(rendezvous(key, [...ids].reverse(), 3)).toEqual(ranked);
      const first = ranked[0] as NodeId;
      counts.set(first, (counts.get(first) ?? 0) + 1);
      expect(rendezvous(key, without, 3).slice(0, 2)).toEqual(
        ranked
          .filter((id) => id !== ids[0])
          .concat(rendezvous(key, without, 3).slice(2))
          .slice(0, 2),
      );
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(20);
    for (const count of counts.values()) expect(count).toBeLessThan(90);
    expect(rendezvous(keys[0] as string, [], 3)).toEqual([]);
  });
});

const strategies: StrategyKind[] = ["full-view", "kademlia"];

describe.each(strategies)("a registry by %s", (kind) => {
  async function overlay(seed: number, size: number, edges = 0): Promise<Overlay> {
    const made = new Overlay(seed, kind);
    for (let n = 0; n < size; n++) await made.join(n, n < size - edges ? "core" : "edge");
    return made;
  }

  it("RG1: a record lies with exactly three nodes, and any node finds it by id and by name", async () => {
    const net = await overlay(1, 30, 4);
    const owner = net.node(3);
    expect(await net.time.settle(owner.registry.publish(agent, epoch(1)))).toBe(REPLICATION);
    const key = agentKey(digests, agent);
    const holders = net.nodes.filter(({ registry }) => registry.valueOf(key) !== undefined);
    expect(holders).toHaveLength(REPLICATION);
    expect(await net.time.settle(owner.registry.publish(agent, epoch(1), "writer"))).toBe(REPLICATION);
    for (const node of [net.node(0), net.node(11), net.node(28)]) {
      const byId = await net.time.settle(node.registry.find(agent));
      expect(byId?.record).toMatchObject({ agent, owner: owner.id, epoch: 1, name: "writer" });
      expect((await net.time.settle(node.registry.findByName("writer")))?.record.agent).toBe(agent);
    }
    expect(await net.time.settle(net.node(5).registry.find(agentNumber(8)))).toBeUndefined();
    expect(await net.time.settle(net.node(5).registry.findByName("reader"))).toBeUndefined();
    net.stop();
  });

  it("RG4: an edge node publishes and looks up, and stores nothing for others", async () => {
    const net = await overlay(2, 8, 3);
    const edge = net.node(7);
    await net.time.settle(edge.registry.publish(agent, epoch(1)));
    for (const { registry, role } of net.nodes) if (role === "edge") expect(registry.stats().stored).toBe(0);
    expect((await net.time.settle(net.node(6).registry.find(agent)))?.record.owner).toBe(edge.id);
    const body = encodeCbor([1, edge.records.sign(recordOf(edge.id, net.time))]);
    const refused = net.time.settle(net.node(0).call(net.node(6).id, REGISTRY_METHODS.store, body));
    await expect(refused).rejects.toMatchObject({ code: "overlay.not-serving" });
    net.stop();
  });

  it("RG2: what is published stays findable for hours, though no record lives longer than ten minutes", async () => {
    const net = await overlay(3, 12);
    await net.time.settle(net.node(2).registry.publish(agent, epoch(1)));
    await net.time.advance(2 * 3_600_000);
    expect((await net.time.settle(net.node(9).registry.find(agent)))?.record.owner).toBe(net.node(2).id);
    expect(net.node(2).registry.stats().publications).toBeGreaterThan(7200 / 200);
    net.stop();
  });

  it("R3: a dead owner's record is gone when its time is over", async () => {
    const net = await overlay(4, 12);
    await net.time.settle(net.node(2).registry.publish(agent, epoch(1)));
    net.kill(net.node(2), true);
    await net.time.advance(RECORD_TTL_MS / 2);
    expect(await net.time.settle(net.node(9).registry.find(agent))).toBeDefined();
    await net.time.advance(RECORD_TTL_MS / 2 + CLOCK_SKEW_MS);
    expect(await net.time.settle(net.node(9).registry.find(agent))).toBeUndefined();
    net.stop();
  });

  it("R1: after a move the higher epoch is found; the former host's word holds until the new owner speaks", async () => {
    const net = await overlay(5, 16);
    const [from, to, reader] = [net.node(2), net.node(3), net.node(9)];
    await net.time.settle(from.registry.publish(agent, epoch(1), "mover"));
    await net.time.settle(from.registry.moved(agent, epoch(2), to.id, [{ host: "10.0.0.1", port: 4 }]));
    expect((await net.time.settle(reader.registry.find(agent)))?.record).toMatchObject({
      status: "moved",
      owner: to.id,
      epoch: 2,
    });
    await net.time.settle(to.registry.publish(agent, epoch(2), "mover"));
    await net.time.advance(RECORD_TTL_MS);
    expect((await net.time.settle(reader.registry.find(agent)))?.record).toMatchObject({
      status: "live",
      owner: to.id,
      epoch: 2,
    });
    expect((await net.time.settle(reader.registry.findByName("mover")))?.record.owner).toBe(to.id);
    await net.time.settle(to.registry.withdraw(agent));
    expect(await net.time.settle(reader.registry.find(agent))).toBeUndefined();
    net.stop();
  });

  it("a former owner that did not hear of the move stops publishing when a holder shows it the higher epoch", async () => {
    const net = await overlay(6, 10);
    const [late, owner] = [net.node(2), net.node(3)];
    await net.time.settle(late.registry.publish(agent, epoch(1)));
    await net.time.settle(owner.registry.publish(agent, epoch(2)));
    await net.time.advance(RECORD_TTL_MS);
    expect(late.registry.stats().published).toBe(0);
    expect((await net.time.settle(net.node(8).registry.find(agent)))?.record.epoch).toBe(2);
    net.stop();
  });

  it("holders that die one after the other do not lose a record, because it is published again", async () => {
    const net = await overlay(7, 24);
    const owner = net.node(2);
    await net.time.settle(owner.registry.publish(agent, epoch(1)));
    const key = agentKey(digests, agent);
    for (let round = 0; round < 4; round++) {
      const holder = net.nodes.find(
        (node) => node !== owner && net.network.has(node.id) && node.registry.valueOf(key) !== undefined,
      );
      if (holder !== undefined) net.kill(holder, true);
      await net.time.advance(RECORD_TTL_MS / 2);
      const reader = net.nodes.find(
        (node) => node !== owner && net.network.has(node.id) && node.registry.valueOf(key) === undefined,
      );
      expect(
        (await net.time.settle(reader?.registry.find(agent) ?? Promise.resolve(undefined)))?.record.owner,
      ).toBe(owner.id);
    }
    net.stop();
  });

  it("a holder that lies is not believed", async () => {
    const net = await overlay(8, 10);
    const owner = net.node(1);
    await net.time.settle(owner.registry.publish(agent, epoch(1)));
    const liar = net.node(4);
    const forged = Uint8Array.from(
      liar.records.sign({ ...recordOf(liar.id, net.time, { epoch: epoch(99) }) }),
    );
    forged[forged.length - 2] = (forged[forged.length - 2] as number) ^ 1;
    const lie = async (): Promise<Uint8Array> => encodeCbor([1, forged]);
    net.network.join(liar.id, "core", [
      ["reg.find", lie],
      ["dht.find", async () => encodeCbor([1, [], forged])],
    ]);
    for (const n of [5, 6, 7])
      expect((await net.time.settle(net.node(n).registry.find(agent)))?.record.epoch).toBe(1);
    net.stop();
  });
});

describe("the registry's limits", () => {
  it("publishes at most so many agents, with names of bounded length", async () => {
    const net = new Overlay(9, "full-view");
    const node = await net.join(0, "edge");
    await expect(node.registry.publish(agent, epoch(1), "x".repeat(65))).rejects.toMatchObject({
      code: "overlay.limit",
    });
    for (let n = 0; n < PUBLISHED_MAX; n++) void node.registry.publish(agentNumber(n), epoch(1));
    await expect(node.registry.publish(agentNumber(PUBLISHED_MAX), epoch(1))).rejects.toMatchObject({
      code: "overlay.limit",
    });
    net.stop();
  });

  it("rubbish as a record is refused with a typed error", () => {
    const time = new VirtualTime();
    const { records } = speaker(1, time);
    const random = new SeededRandom("rubbish");
    const good = records.sign(recordOf(speaker(1, time).id, time));
    for (let i = 0; i < 500; i++) {
      const bytes = Uint8Array.from(good.subarray(0, 1 + (random.uint32() % good.length)));
      bytes[random.uint32() % bytes.length] = random.uint32();
      try {
        records.read(bytes).verify();
        expect([...bytes]).toEqual([...good]);
      } catch (error) {
        expect(errorCodeOf(error)).toMatch(/^(mesh|overlay)\./);
      }
    }
  });
});

describe("measures", () => {
  it("a meter is told of lookups, hits, hops, latency, puts and the table's size, under the seeds' names", () => {
    const seen = new Map<string, number>();
    const meter: Meter = {
      count: (name, value = 1) => void seen.set(name, (seen.get(name) ?? 0) + value),
      gauge: (name, value) => void seen.set(name, value),
      observe: () => undefined,
    };
    const measures = new LookupMeasures(meter, "node-1");
    measures.looked({ found: true, local: false, hops: 2, tookMs: 10 });
    measures.looked({ found: false, local: true, hops: 4, tookMs: 30 });
    measures.put();
    measures.got();
    measures.table(17);
    expect(Object.fromEntries(seen)).toEqual({
      mielin_dht_lookups_total: 2,
      mielin_dht_lookup_success_rate: 0.5,
      mielin_dht_cache_hit_rate: 0.5,
      mielin_dht_lookup_latency_avg_us: 12_000,
      mielin_dht_lookup_latency_p95_us: 30_000,
      glia_dht_lookup_hops_avg: 2.2,
      mielin_dht_puts_total: 1,
      mielin_dht_gets_total: 1,
      mielin_dht_routing_table_size: 17,
    });
  });
});

describe.each(strategies)("R2, R3 and R5 under churn, by %s", (kind) => {
  it("of 360 lookups over 30 minutes in which half of all nodes end, at least 99.9 % find the owner", async () => {
    let tried = 0;
    let right = 0;
    for (const seed of [31]) {
      const net = new Overlay(seed, kind);
      const random = new SeededRandom(seed).fork("churn");
      const owners = new Map<number, (typeof net.nodes)[number]>();
      for (let n = 0; n < 45; n++) await net.join(n);
      let joined = 45;
      const living = (): typeof net.nodes => net.nodes.filter(({ id }) => net.network.has(id));
      const pick = (): (typeof net.nodes)[number] =>
        living()[random.uint32() % living().length] as (typeof net.nodes)[number];
      for (let n = 0; n < 20; n++) {
        const owner = pick();
        owners.set(n, owner);
        await net.time.settle(owner.registry.publish(agentNumber(n), epoch(1)));
      }
      // One of 45 nodes ends every minute. Its death is known after 10 s.
      for (let minute = 0; minute < 30; minute++) {
        const victim = pick();
        net.kill(victim, false);
        for (const [n, owner] of owners) if (owner === victim) owners.delete(n);
        await net.time.advance(10_000);
        for (const { kademlia } of living()) kademlia.gone(victim.id);
        await net.join(joined++);
        for (let look = 0; look < 12; look++) {
          await net.time.advance(4000);
          const [n, owner] = [...owners][random.uint32() % owners.size] ?? [];
          if (n === undefined || owner === undefined) continue;
          const located = await net.time.settle(pick().registry.find(agentNumber(n)));
          tried++;
          if (located?.record.owner === owner.id) right++;
        }
      }
      for (const { registry } of living()) expect(registry.stats().refused.forged).toBe(0);
      net.stop();
    }
    console.info(`${kind}: ${right} of ${tried} lookups right, 1 seed`);
    expect(tried).toBeGreaterThan(300);
    expect(right / tried).toBeGreaterThanOrEqual(0.999);
  });
});
