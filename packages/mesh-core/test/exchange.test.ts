/** Peer exchange: signed records spread, forged and old ones do not, and clients are neither shown nor believed. */
import type { NodeId } from "@glia-os/abi/ids";
import { describe, expect, it } from "vitest";
import {
  EXCHANGE_METHOD,
  EXCHANGE_MS,
  PEERS_KEPT_MAX,
  PEERS_SHOWN_MAX,
  PeerExchange,
} from "../src/exchange/peer-exchange.ts";
import { type PeerRecord, PeerRecords } from "../src/exchange/peer-record.ts";
import { decodeCbor, encodeCbor } from "../src/index.ts";
import type { NodeRole } from "../src/mesh-types.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import { identity } from "./overlay-nodes.ts";

interface Node {
  readonly id: NodeId;
  readonly records: PeerRecords;
  readonly exchange: PeerExchange;
  readonly learned: PeerRecord[];
}

function network(size: number): {
  nodes: Node[];
  time: VirtualTime;
  add: (n: number, role?: NodeRole) => Node;
  calls: CallNetwork;
} {
  const time = new VirtualTime();
  const calls = new CallNetwork(time, 1);
  const nodes: Node[] = [];
  const add = (n: number, role: NodeRole = "core"): Node => {
    const vouch = identity(n, role, time);
    const id = idOf(vouch.signer);
    const learned: PeerRecord[] = [];
    const records = new PeerRecords(vouch);
    const exchange = new PeerExchange({
      self: id,
      timers: time,
      random: new SeededRandom(n),
      records,
      address: () => (role === "client" ? undefined : { host: "10.0.0.1", port: 1 + n }),
      seq: 5,
      // A line: everybody knows only its neighbours, so what is far away comes through others.
      peers: () => [nodes[n - 1], nodes[n + 1]].flatMap((node) => node?.id ?? []),
      call: calls.caller(id, role),
      learned: (record) => learned.push(record),
    });
    calls.join(id, role, exchange.methods());
    const node = { id, records, exchange, learned };
    nodes.push(node);
    return node;
  };
  for (let n = 0; n < size; n++) add(n);
  return { nodes, time, add, calls };
}

describe("peer exchange", () => {
  it("everybody on a line learns where everybody listens, each record once", async () => {
    const { nodes, time } = network(12);
    for (const { exchange } of nodes) exchange.start();
    await time.advance(EXCHANGE_MS * 40);
    for (const { exchange, learned } of nodes) {
      expect(exchange.known()).toHaveLength(11);
      expect(learned).toHaveLength(11);
      expect(exchange.stats().refused).toBe(0);
      exchange.stop();
    }
  });

  it("PX1: a client is shown members, is shown to nobody, and is not believed", async () => {
    const { nodes, time, add, calls } = network(3);
    await time.settle((nodes[0] as Node).exchange.pull((nodes[1] as Node).id));
    const client = add(3, "client");
    await time.settle(client.exchange.pull((nodes[0] as Node).id));
    expect(client.exchange.known().map(({ node }) => node)).toContain((nodes[1] as Node).id);
    expect((nodes[0] as Node).exchange.known().map(({ node }) => node)).not.toContain(client.id);
    const stranger = (nodes[2] as Node).records.sign(9, [{ host: "10.0.0.9", port: 9 }]);
    await time.settle(
      calls.caller(client.id, "client")((nodes[0] as Node).id, EXCHANGE_METHOD, encodeCbor([1, [stranger]])),
    );
    expect((nodes[0] as Node).exchange.known()).toHaveLength(1);
  });

  it("PX2: an unsigned, changed, old or client's record is refused and counted", async () => {
    const { nodes, time, add, calls } = network(3);
    const [a, b, c] = nodes as [Node, Node, Node];
    const client = add(3, "client");
    const good = c.records.sign(7, [{ host: "10.0.0.3", port: 3 }]);
    const forged = Uint8Array.from(good);
    forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
    const say = (records: Uint8Array[]): Promise<Uint8Array> =>
      time.settle(calls.caller(b.id, "core")(a.id, EXCHANGE_METHOD, encodeCbor([1, records])));
    await say([forged, client.records.sign(9, [{ host: "10.0.0.3", port: 3 }]), Uint8Array.of(1)]);
    expect([a.exchange.known().length, a.exchange.stats().refused]).toEqual([0, 3]);
    await say([good]);
    await say([c.records.sign(6, [{ host: "10.6.6.6", port: 3 }])]);
    expect(a.exchange.known()).toMatchObject([
      { node: c.id, seq: 7, addresses: [{ host: "10.0.0.3", port: 3 }] },
    ]);
    await say([c.records.sign(8, [{ host: "10.8.8.8", port: 3 }])]);
    expect(a.exchange.known()).toMatchObject([{ seq: 8, addresses: [{ host: "10.8.8.8", port: 3 }] }]);
  });

  it("PX3: answers and what is kept are bounded; a longer list is refused before it is read", async () => {
    const { nodes, time, calls } = network(2);
    const [a, b] = nodes as [Node, Node];
    const many = (from: number, count: number): Uint8Array[] =>
      Array.from({ length: count }, (_, i) => new PeerRecords(identity(from + i, "core", time)).sign(1, []));
    const say = (records: Uint8Array[]): Promise<Uint8Array> =>
      time.settle(calls.caller(b.id, "core")(a.id, EXCHANGE_METHOD, encodeCbor([1, records])));
    await expect(say(many(100, PEERS_SHOWN_MAX + 1))).rejects.toMatchObject({
      code: "mesh.malformed-message",
    });
    for (let from = 1000; from < 1000 + PEERS_KEPT_MAX + 32; from += 32) await say(many(from, 32));
    expect(a.exchange.known()).toHaveLength(PEERS_KEPT_MAX);
    const [, shown] = decodeCbor(await say([])) as [number, Uint8Array[]];
    expect(shown).toHaveLength(PEERS_SHOWN_MAX);
  });
});
