/** Kademlia: the metric, the table with its limits, lookups as a machine against static networks, and nodes on a virtual network. */
import { type NodeId, toHex } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addressGroup } from "../src/kademlia/address-group.ts";
import { type Contact, contactOf } from "../src/kademlia/contact.ts";
import {
  compareDistance,
  hexOf,
  randomKeySharing,
  sharedPrefixBits,
  wordsOf,
} from "../src/kademlia/distance.ts";
import { ALPHA, K, Kademlia, LOOKUPS_MAX, REFRESH_MS } from "../src/kademlia/kademlia.ts";
import { ASKS_MAX, Lookup } from "../src/kademlia/lookup.ts";
import { readFind, readFound } from "../src/kademlia/messages.ts";
import {
  PATIENCE_MAX_MS,
  PATIENCE_MIN_MS,
  PATIENCE_START_MS,
  Patience,
  PEERS_MAX,
} from "../src/kademlia/patience.ts";
import { GROUP_IN_BUCKET_MAX, GROUP_IN_TABLE_MAX, RoutingTable } from "../src/kademlia/routing-table.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";

const random = new SeededRandom("kademlia");
const idOf = (source: SeededRandom): NodeId => toHex(source.bytes(new Uint8Array(32))) as NodeId;
const contact = (node: NodeId, host = "10.0.0.1"): Contact => contactOf(node, { host, port: 1 });
const nearest = (contacts: readonly Contact[], key: string, count: number): NodeId[] => {
  const target = wordsOf(key);
  return [...contacts]
    .sort((a, b) => compareDistance(target, a.words, b.words))
    .slice(0, count)
    .map(({ node }) => node);
};

describe("the metric", () => {
  it("orders as the XOR of two numbers of 256 bits does", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, (1n << 256n) - 1n),
        fc.bigInt(0n, (1n << 256n) - 1n),
        fc.bigInt(0n, (1n << 256n) - 1n),
        (t, a, b) => {
          const hex = (n: bigint): string => n.toString(16).padStart(64, "0");
          const order = compareDistance(wordsOf(hex(t)), wordsOf(hex(a)), wordsOf(hex(b)));
          const [left, right] = [t ^ a, t ^ b];
          expect(Math.sign(order)).toBe(left < right ? -1 : left > right ? 1 : 0);
          expect(hexOf(wordsOf(hex(a)))).toBe(hex(a));
        },
      ),
    );
  });

  it("a random key in a bucket shares exactly the bits of that bucket", () => {
    const self = wordsOf(idOf(random));
    for (let bits = 0; bits < 256; bits++)
      expect(sharedPrefixBits(self, randomKeySharing(self, bits, random))).toBe(bits);
  });
});

describe("the routing table", () => {
  const self = "0".repeat(64) as NodeId;
  /** Node number n in the bucket of ids that share no bit with this node's. */
  const far = (n: number): NodeId => `8${n.toString(16).padStart(63, "0")}` as NodeId;

  it("RT1: a newcomer of a full bucket waits until the least recently seen stays silent", () => {
    const table = new RoutingTable(self, K, "public");
    for (let n = 0; n < K; n++) expect(table.observe(contact(far(n)), n).kind).toBe("kept");
    table.observe(contact(far(0)), 50);
    const observed = table.observe(contact(far(100)), 60);
    expect(observed).toMatchObject({ kind: "check", oldest: { node: far(1) } });
    expect(table.observe(contact(far(101)), 61).kind).toBe("waiting");
    table.observe(contact(far(1)), 62);
    expect(table.has(far(100))).toBe(false);
    expect(table.observe(contact(far(100)), 63)).toMatchObject({ kind: "check", oldest: { node: far(2) } });
    table.failed(far(2));
    expect([table.has(far(2)), table.has(far(100)), table.size]).toEqual([false, true, K]);
  });

  it("RT2: no more than k wait per bucket, and the newest takes the place of one that is gone", () => {
    const table = new RoutingTable(self, 2, "public");
    for (let n = 0; n < 10; n++) table.observe(contact(far(n)), n);
    table.remove(far(0));
    table.remove(far(1));
    table.remove(far(9));
    table.remove(far(8));
    expect(table.size).toBe(0);
  });

  it("RT3: an address group has at most 2 contacts in a bucket and 3 in the table, private ones are free", () => {
    const table = new RoutingTable(self, K, "public");
    const near = (n: number): NodeId => `4${n.toString(16).padStart(63, "0")}` as NodeId;
    for (let n = 0; n < 10; n++) table.observe(contact(far(n), `203.0.113.${n}`), n);
    expect(table.size).toBe(GROUP_IN_BUCKET_MAX);
    for (let n = 0; n < 10; n++) table.observe(contact(near(n), `203.0.113.${n}`), n);
    expect(table.size).toBe(GROUP_IN_TABLE_MAX);
    for (let n = 10; n < 20; n++) table.observe(contact(far(n), `10.0.0.${n}`), n);
    expect(table.size).toBe(GROUP_IN_TABLE_MAX + 10);
    table.remove(far(0));
    expect(table.observe(contact(far(5), "203.0.113.9"), 50).kind).toBe("kept");
  });

  it("groups are /24 and /48, and names their own", () => {
    expect(addressGroup("198.51.100.7", "public")).toBe("198.51.100/24");
    expect(addressGroup("2001:db8:1::5", "public")).toBe("2001:db8:1/48");
    expect(addressGroup("[2001:db8:1:ffff::9]", "public")).toBe("2001:db8:1/48");
    expect(addressGroup("::ffff:198.51.100.7", "public")).toBe("198.51.100/24");
    for (const local of ["127.0.0.1", "192.168.3.4", "172.31.0.1", "fd00::1", "::1", "fe80::1%eth0"])
      expect([addressGroup(local, "public"), addressGroup(local, "all") === undefined]).toEqual([
        undefined,
        false,
      ]);
    expect(addressGroup("Node.example", "public")).toBe("name:node.example");
    expect(addressGroup("198.51.100.7", "off")).toBeUndefined();
  });

  it("closest gives the true nearest of all contacts for any key", () => {
    const source = new SeededRandom("closest");
    for (let round = 0; round < 20; round++) {
      const me = idOf(source);
      const table = new RoutingTable(me, K, "public");
      for (let n = 0; n < 300; n++) table.observe(contact(idOf(source)), n);
      const key = round % 4 === 0 ? me : idOf(source);
      expect(table.closest(wordsOf(key), 20).map(({ node }) => node)).toEqual(nearest(table.all(), key, 20));
    }
  });

  it("RT5: this node is never in its own table, and one that failed twice is gone", () => {
    const table = new RoutingTable(self, K, "public");
    expect(table.observe(contact(self), 0).kind).toBe("refused");
    table.observe(contact(far(1)), 0);
    table.failed(far(1));
    expect(table.has(far(1))).toBe(true);
    table.failed(far(1));
    expect(table.has(far(1))).toBe(false);
  });
});

interface StaticNetwork {
  readonly nodes: readonly Contact[];
  readonly tables: ReadonlyMap<NodeId, RoutingTable>;
}

function staticNetwork(seed: number, size: number): StaticNetwork {
  const source = new SeededRandom(seed);
  const nodes = Array.from({ length: size }, () => contact(idOf(source)));
  const tables = new Map<NodeId, RoutingTable>();
  for (const { node } of nodes) {
    const table = new RoutingTable(node, K, "public");
    for (const other of nodes) if (source.uint32() % 4 !== 0 || size < 60) table.observe(other, 0);
    // A node always knows its own neighbourhood: that is what refresh and bootstrap are for.
    for (const near of nearest(nodes, node, K + 1)) table.observe(contact(near), 1);
    tables.set(node, table);
  }
  return { nodes, tables };
}

describe("a lookup", () => {
  it("LU1-LU4: ends, asks nobody twice, at most alpha at once per path, and finds the true nearest of a static network", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 2, max: 160 }),
        fc.integer({ min: 1, max: 3 }),
        (seed, size, paths) => {
          const source = new SeededRandom(seed).fork("lookup");
          const network = staticNetwork(seed, size);
          const self = idOf(source);
          const target = idOf(source);
          const seeds = network.nodes.slice(0, 1 + (seed % 5));
          const lookup = new Lookup({
            self,
            target: wordsOf(target),
            seeds,
            k: K,
            alpha: ALPHA,
            paths,
            waitMs: () => 1000,
          });
          const asked: NodeId[] = [];
          const open: NodeId[] = [];
          while (!lookup.done) {
            const { ask } = lookup.next(0);
            asked.push(...ask.map(({ node }) => node));
            open.push(...ask.map(({ node }) => node));
            for (let path = 0; path < paths; path++)
              expect(open.filter((node) => lookup.pathOf(node) === path).length).toBeLessThanOrEqual(ALPHA);
            const [node] = open.splice(source.uint32() % open.length, 1) as [NodeId];
            lookup.onSuccess(node, network.tables.get(node)?.closest(wordsOf(target), K) ?? []);
          }
          expect(new Set(asked).size).toBe(asked.length);
          expect(asked.length).toBeLessThanOrEqual(ASKS_MAX);
          expect(lookup.closest().map(({ node }) => node)).toEqual(nearest(network.nodes, target, K));
        },
      ),
      { numRuns: 60 },
    );
  });

  it("ends when the nearest it knows are dead, and none of the dead or mentioned pads the result", () => {
    const network = staticNetwork(7, 120);
    const target = idOf(new SeededRandom(8));
    const dead = new Set(nearest(network.nodes, target, 15));
    const lookup = new Lookup({
      self: idOf(random),
      target: wordsOf(target),
      seeds: network.nodes.slice(40, 45),
      k: K,
      alpha: ALPHA,
      paths: 2,
      waitMs: () => 1000,
    });
    for (let guard = 0; !lookup.done && guard < 1000; guard++)
      for (const { node } of lookup.next(0).ask)
        if (dead.has(node)) lookup.onFailure(node);
        else lookup.onSuccess(node, network.tables.get(node)?.closest(wordsOf(target), K) ?? []);
    expect(lookup.done).toBe(true);
    const found = lookup.closest().map(({ node }) => node);
    expect([found.length, found.some((node) => dead.has(node))]).toEqual([K, false]);
    const living = network.nodes.filter(({ node }) => !dead.has(node));
    expect(found.slice(0, 5)).toEqual(nearest(living, target, 5));
  });

  it("LU2: a slow peer stops holding the lookup up, and its late answer still counts", () => {
    const [a, b] = [contact(idOf(random)), contact(idOf(random))];
    const lookup = new Lookup({
      self: idOf(random),
      target: a.words,
      seeds: [a, b],
      k: 2,
      alpha: 1,
      paths: 1,
      waitMs: () => 100,
    });
    expect(lookup.next(0)).toEqual({ ask: [a], wakeMs: 100 });
    expect(lookup.next(99).ask).toEqual([]);
    expect(lookup.next(100).ask).toEqual([b]);
    expect(lookup.onSuccess(a.node, [])).toBe(true);
    expect(lookup.onSuccess(a.node, [])).toBe(false);
    lookup.onSuccess(b.node, []);
    expect([lookup.done, lookup.closest().length]).toEqual([true, 2]);
  });

  it("LU1: an adversary that names ever nearer strangers is cut off", () => {
    const target = wordsOf("0".repeat(64));
    const lookup = new Lookup({
      self: idOf(random),
      target,
      seeds: [contact(idOf(random))],
      k: K,
      alpha: ALPHA,
      paths: 1,
      waitMs: () => 1000,
    });
    let made = 0;
    for (let guard = 0; !lookup.done && guard < 10_000; guard++)
      for (const { node } of lookup.next(0).ask)
        lookup.onSuccess(
          node,
          Array.from({ length: K }, () => contact((1e9 - ++made).toString(16).padStart(64, "0") as NodeId)),
        );
    expect([lookup.done, lookup.asked]).toEqual([true, ASKS_MAX]);
  });
});

describe("patience", () => {
  it("PA1: starts at a second, follows what is measured, and stays within its bounds", () => {
    const patience = new Patience();
    const [a, b] = [idOf(random), idOf(random)];
    expect(patience.waitMs(a)).toBe(PATIENCE_START_MS);
    for (let i = 0; i < 50; i++) patience.measured(a, 1);
    expect(patience.waitMs(a)).toBe(PATIENCE_MIN_MS);
    expect(patience.waitMs(b)).toBe(PATIENCE_MIN_MS);
    for (let i = 0; i < 50; i++) patience.measured(b, 60_000);
    expect(patience.waitMs(b)).toBe(PATIENCE_MAX_MS);
    expect(patience.roundTripMs(a)).toBeCloseTo(1);
  });

  it("PA2: forgets the peer measured longest ago when there are too many", () => {
    const patience = new Patience();
    const ids = Array.from({ length: PEERS_MAX + 1 }, (_, n) => n.toString(16).padStart(64, "0") as NodeId);
    for (const id of ids) patience.measured(id, 20);
    expect([patience.roundTripMs(ids[0] as NodeId), patience.roundTripMs(ids[1] as NodeId)]).toEqual([
      undefined,
      20,
    ]);
  });
});

interface Running {
  readonly id: NodeId;
  readonly kademlia: Kademlia;
}

/** Nodes that found each other through the first. */
async function mesh(
  size: number,
  seed: number,
  edges = 0,
): Promise<{ nodes: Running[]; network: CallNetwork; time: VirtualTime }> {
  const time = new VirtualTime();
  const network = new CallNetwork(time, seed);
  const source = new SeededRandom(seed);
  const nodes: Running[] = [];
  for (let n = 0; n < size; n++) {
    const id = idOf(source);
    const role = n >= size - edges ? "edge" : "core";
    const address = { host: "10.0.0.1", port: 1 + n };
    const kademlia = new Kademlia({
      self: id,
      clock: time,
      timers: time,
      random: source.fork(`node ${n}`),
      serves: () => (role === "edge" ? undefined : address),
      call: network.caller(id, role),
      addressOf: () => undefined,
      addressHint: () => undefined,
    });
    network.join(id, role, role === "edge" ? [] : kademlia.methods());
    kademlia.start();
    const first = nodes[0];
    if (first !== undefined) kademlia.seen(first.id, { host: "10.0.0.1", port: 1 });
    await time.settle(kademlia.bootstrap());
    nodes.push({ id, kademlia });
  }
  return { nodes, network, time };
}

describe("nodes on a network", () => {
  it("K1: find the true nearest of 60, edge nodes are in nobody's table", async () => {
    const { nodes, time } = await mesh(60, 1, 10);
    const serving = nodes.slice(0, 50).map(({ id }) => contact(id));
    for (const { kademlia } of [nodes[3], nodes[55]] as Running[]) {
      const key = idOf(random);
      const { closest } = await time.settle(kademlia.lookup(key));
      const others = serving.filter(({ node }) => node !== nodes[3]?.id || kademlia !== nodes[3]?.kademlia);
      expect(closest.map(({ node }) => node)).toEqual(nearest(others, key, K));
    }
    const edges = new Set(nodes.slice(50).map(({ id }) => id));
    for (const { kademlia } of nodes)
      expect(kademlia.table.all().some(({ node }) => edges.has(node))).toBe(false);
    for (const { kademlia } of nodes) kademlia.stop();
  });

  it("K2: the refresh of idle buckets runs again and again, not only at the start", async () => {
    const { nodes, time } = await mesh(12, 2);
    const node = nodes[4] as Running;
    await time.advance(REFRESH_MS * 1.5);
    const once = node.kademlia.stats().refreshes;
    expect(once).toBeGreaterThan(0);
    await time.advance(REFRESH_MS * 3);
    expect(node.kademlia.stats().refreshes).toBeGreaterThanOrEqual(once * 3);
    for (const { kademlia } of nodes) kademlia.stop();
  });

  it("K3: a member reported dead leaves every table at once; a silent one leaves by refresh", async () => {
    const { nodes, network, time } = await mesh(10, 3);
    const [dead, silent] = [nodes[5] as Running, nodes[6] as Running];
    network.leave(dead.id);
    network.leave(silent.id);
    // A crashed node asks nobody any more.
    for (const { kademlia } of [dead, silent]) kademlia.stop();
    for (const { kademlia } of nodes) kademlia.gone(dead.id);
    expect(nodes.some(({ kademlia }) => kademlia.table.has(dead.id))).toBe(false);
    await time.advance(REFRESH_MS * 5);
    const others = nodes.filter((node) => node !== dead && node !== silent);
    expect(others.some(({ kademlia }) => kademlia.table.has(silent.id))).toBe(false);
    for (const { kademlia } of nodes) kademlia.stop();
  });

  it("K4 and K5: lookups beyond twice the limit are refused, and stopping settles all of them", async () => {
    const { nodes, network, time } = await mesh(3, 4);
    const node = nodes[1] as Running;
    for (const { id } of nodes) if (id !== node.id) network.leave(id);
    const lookups = Array.from({ length: 2 * LOOKUPS_MAX + 1 }, () => node.kademlia.lookup(idOf(random)));
    const codes = Promise.all(
      lookups.map((lookup) =>
        lookup.then(
          () => "done",
          (error: { code: string }) => error.code,
        ),
      ),
    );
    node.kademlia.stop();
    const seen = await time.settle(codes);
    expect(seen.filter((code) => code === "overlay.limit")).toHaveLength(1);
    expect(seen.filter((code) => code === "mesh.stopped")).toHaveLength(2 * LOOKUPS_MAX);
  });

  it("rubbish and other versions are refused with a typed error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const read of [readFind, readFound])
          try {
            read(bytes);
          } catch (error) {
            expect((error as { code?: string }).code).toBe("mesh.malformed-message");
          }
      }),
    );
  });
});
