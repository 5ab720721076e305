import type { ClusterId, NodeId } from "@glia-os/abi/ids";
import type { Announcement, FoundNode } from "@glia-os/abi/ports";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ServiceCache } from "../src/discovery/service-cache.ts";
import { addressesOf, RECORD_TTL_S, serviceRecords } from "../src/discovery/service-records.ts";

const CLUSTER = "c1".repeat(32) as ClusterId;

function nodeId(index: number): NodeId {
  return index.toString(16).padStart(8, "0").repeat(8) as NodeId;
}

function announcement(index = 1, more: Partial<Announcement> = {}): Announcement {
  const address = { host: "192.0.2.7", port: 7000 + (index % 1000) };
  return { node: nodeId(index), cluster: CLUSTER, address, quic: true, ...more };
}

function records(index: number, hosts: readonly string[] = ["192.0.2.7"], ttl = RECORD_TTL_S) {
  return serviceRecords(announcement(index), hosts, ttl);
}

function makeCache(self?: NodeId) {
  const [found, lost]: [FoundNode[], NodeId[]] = [[], []];
  const cache = new ServiceCache(() => self, {
    found: (node) => void found.push(node),
    lost: (node) => void lost.push(node),
  });
  return { cache, found, lost };
}

/** Packets of random records; making one costs ten times what the cache does with it. */
const NONSENSE = process.env["GLIA_SOAK"] === "1" ? 20_000 : 2000;

describe("what others announce", () => {
  it("SC2: a node is found from its records, in any order and in several packets, and told once", () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(records(1), { minLength: records(1).length }),
        fc.integer({ min: 0, max: 9 }),
        (order, cut) => {
          const { cache, found } = makeCache();
          cache.take(order.slice(0, cut), 0);
          cache.take(order.slice(cut), 0);
          cache.take(order, 1000);
          expect(found).toEqual([
            { node: nodeId(1), cluster: CLUSTER, addresses: [{ host: "192.0.2.7", port: 7001 }] },
          ]);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("SC3: a node is lost by its goodbye, and by five minutes of silence, and not before", () => {
    const { cache, found, lost } = makeCache();
    cache.take(records(1), 0);
    cache.take(records(2), 60_000);
    cache.take(records(1, undefined, 0), 61_000);
    expect(lost).toEqual([nodeId(1)]);
    cache.expire(60_000 + RECORD_TTL_S * 1000 - 1);
    expect(lost.length).toBe(1);
    cache.expire(60_000 + RECORD_TTL_S * 1000);
    expect(lost).toEqual([nodeId(1), nodeId(2)]);
    expect([cache.size, found.length]).toEqual([0, 2]);
  });

  it("SC2: a node is told again when its addresses change, and only then", () => {
    const { cache, found } = makeCache();
    cache.take(records(1, ["192.0.2.7", "192.0.2.8"]), 0);
    cache.take(records(1, ["192.0.2.8", "192.0.2.7"]), 1000);
    cache.take(records(1, ["192.0.2.9"]), 2000);
    expect(found.map(({ addresses }) => addresses.map(({ host }) => host))).toEqual([
      ["192.0.2.7", "192.0.2.8"],
      ["192.0.2.9"],
    ]);
  });

  it.each(["127.0.0.1", "0.0.0.0", "::1", "fe80::1", "224.0.0.251", "ff02::fb", "no address"])(
    "an address that says nothing to others, %s, is not taken",
    (address) => {
      const { cache, found } = makeCache();
      cache.take(records(1, [address]), 0);
      expect(found).toEqual([]);
    },
  );

  it("this node does not find itself", () => {
    const { cache, found } = makeCache(nodeId(1));
    cache.take(records(1), 0);
    expect(found).toEqual([]);
  });

  it("what is missing of a service is named: its place and text, then its address", () => {
    const { cache } = makeCache();
    const own = records(1);
    cache.take(
      own.filter(({ type }) => type === "PTR"),
      0,
    );
    const label = nodeId(1).slice(0, 32);
    expect(cache.missing).toEqual([`${label}._glia._tcp.local`, `${label}._glia._udp.local`]);
    cache.take(
      own.filter(({ type }) => type !== "A"),
      0,
    );
    expect(cache.missing).toEqual([`glia-${label}.local`]);
    cache.take(own, 0);
    expect(cache.missing).toEqual([]);
  });

  it.each([
    ["a node id that is none", (text: string) => text.replace(/^node=.*/, "node=xyz")],
    ["a cluster id that is none", (text: string) => text.replace(/^cluster=.*/, "cluster=")],
    ["another version", (text: string) => text.replace("v=1", "v=2")],
  ])("a text record with %s is not believed", (_, change) => {
    const { cache, found } = makeCache();
    const changed = records(1).map((record) =>
      record.type === "TXT" ? { ...record, data: record.data.map(change) } : record,
    );
    cache.take(changed, 0);
    expect(found).toEqual([]);
  });

  it("SC1: a flood of services, hosts and addresses is held at the bounds, and a goodbye makes room again", () => {
    const { cache, found } = makeCache();
    for (let i = 1; i <= 2000; i++) {
      const hosts = Array.from({ length: 50 }, (_, k) => `10.${i % 256}.${k}.1`);
      cache.take(records(i, hosts), 0);
    }
    expect(cache.size).toBeLessThanOrEqual(256 + 256 + 256 * 8);
    expect(cache.nodes.length).toBe(128);
    expect(cache.nodes.every(({ addresses }) => addresses.length === 8)).toBe(true);
    cache.take(records(1, undefined, 0), 1000);
    cache.take(records(5000), 1000);
    expect(found.at(-1)?.node).toBe(nodeId(5000));
  });

  it(`SC1: ${NONSENSE} packets of nonsense records throw nothing and fill nothing over the bounds`, () => {
    const { cache } = makeCache();
    const names = records(1).map(({ name }) => name);
    const record = fc.record(
      {
        type: fc.oneof(fc.constantFrom("PTR", "SRV", "TXT", "A", "AAAA"), fc.anything()),
        name: fc.oneof(fc.constantFrom(...names), fc.string(), fc.anything()),
        ttl: fc.oneof(fc.integer(), fc.double(), fc.anything()),
        data: fc.oneof(
          fc.constantFrom(...names),
          fc.ipV4(),
          fc.record({ port: fc.integer(), target: fc.string() }),
          fc.anything(),
        ),
        flush: fc.oneof(fc.boolean(), fc.anything()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), fc.nat(1e9), (packet, nowMs) => {
        cache.take(packet, nowMs);
        cache.expire(nowMs);
      }),
      { numRuns: NONSENSE },
    );
    expect(cache.size).toBeLessThanOrEqual(256 + 256 + 256 * 8);
  });
});

describe("what a node announces", () => {
  it("SR1: every record lives five minutes", () => {
    expect(records(1).every(({ ttl }) => ttl === 300)).toBe(true);
  });

  it("announces QUIC only where it is taken", () => {
    const plain = serviceRecords(announcement(1, { quic: false }), ["192.0.2.7"], RECORD_TTL_S);
    expect(plain.some(({ name }) => name.includes("_udp.local") && name.includes("_glia"))).toBe(false);
    expect(records(1).some(({ name }) => name === "_glia._udp.local")).toBe(true);
  });

  it("no name has a label over 63 bytes", () => {
    const labels = records(1).flatMap(({ name }) => name.split("."));
    expect(Math.max(...labels.map((label) => label.length))).toBeLessThanOrEqual(63);
  });

  it("a wildcard stands for the machine's addresses, an address for itself, a name for nothing", () => {
    expect(addressesOf("192.0.2.7")).toEqual(["192.0.2.7"]);
    expect(addressesOf("localhost")).toEqual([]);
    expect(addressesOf("127.0.0.1")).toEqual([]);
    expect(addressesOf("0.0.0.0")).not.toContain("127.0.0.1");
    expect(addressesOf("0.0.0.0").length).toBeLessThanOrEqual(8);
  });
});
