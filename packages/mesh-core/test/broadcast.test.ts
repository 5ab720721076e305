/** Broadcast: everybody gets a message, once, whatever is lost, and memory and effort stay bounded. */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLOCK_SKEW_MS } from "../src/admission/certificate.ts";
import {
  CAST_METHODS,
  FANOUT,
  Gossip,
  KEPT_BYTES_MAX,
  KEPT_MAX,
  MESSAGE_LIFE_MS,
  REPAIR_MS,
} from "../src/broadcast/gossip.ts";
import {
  BROADCAST_PAYLOAD_MAX,
  Broadcasts,
  OFFER_MAX,
  PUSH_MAX,
  pushBody,
  readIds,
  readPush,
} from "../src/broadcast/message.ts";
import { encodeCbor } from "../src/index.ts";
import type { NodeRole } from "../src/mesh-types.ts";
import { CallNetwork, SeededRandom, VirtualTime } from "../src/testing/index.ts";
import { idOf } from "./digests.ts";
import { digests, identity } from "./overlay-nodes.ts";

interface Node {
  readonly id: NodeId;
  readonly gossip: Gossip;
  readonly broadcasts: Broadcasts;
  readonly heard: number[];
}

function network(size: number, seed = 1): { nodes: Node[]; time: VirtualTime; calls: CallNetwork } {
  const time = new VirtualTime();
  const calls = new CallNetwork(time, seed);
  const nodes: Node[] = [];
  const ids = Array.from({ length: size }, (_, n) => idOf(identity(n, "core", time).signer));
  for (let n = 0; n < size; n++) {
    const vouch = identity(n, "core", time);
    const id = ids[n] as NodeId;
    const peers = ids.filter((other) => other !== id);
    const broadcasts = new Broadcasts(vouch);
    const random = new SeededRandom(seed).fork(`node ${n}`);
    const gossip = new Gossip({
      self: id,
      bootEpoch: 1,
      clock: time,
      timers: time,
      random,
      digests,
      broadcasts,
      peers: () => peers,
      call: calls.caller(id, "core"),
    });
    calls.join(id, "core", gossip.methods());
    const heard: number[] = [];
    gossip.on("news", (_origin, payload) => heard.push(payload[0] as number));
    gossip.start();
    nodes.push({ id, gossip, broadcasts, heard });
  }
  return { nodes, time, calls };
}

const number = (n: number): Uint8Array => Uint8Array.of(n);
const stop = (nodes: readonly Node[]): void => {
  for (const { gossip } of nodes) gossip.stop();
};

describe("broadcast", () => {
  it("reaches all of 1,000 nodes within 2 virtual seconds, each once", async () => {
    const { nodes, time } = network(1000, 11);
    nodes[17]?.gossip.send("news", number(5));
    const all = await time.advanceUntil(() => nodes.every(({ heard }) => heard.length > 0), 2000);
    expect(all).toBe(true);
    await time.advance(5000);
    for (const { heard } of nodes) expect(heard).toEqual([5]);
    stop(nodes);
  });

  it("GB2: a message is pushed to three others per node, and further only to those that ask", async () => {
    const { nodes, time } = network(200, 3);
    nodes[0]?.gossip.send("news", number(1));
    await time.advance(10_000);
    const pushed = nodes.map(({ gossip }) => gossip.stats().pushed);
    const total = pushed.reduce((sum, count) => sum + count, 0);
    expect(total).toBeGreaterThanOrEqual(200 * FANOUT);
    expect(total).toBeLessThan(200 * (FANOUT + 0.2));
    expect(nodes.every(({ heard }) => heard.length === 1)).toBe(true);
    stop(nodes);
  });

  it("GB1: with a third of all calls lost, in any order, everybody hears every message once", async () => {
    for (const seed of [21, 22, 23]) {
      const { nodes, time, calls } = network(60, seed);
      const random = new SeededRandom(seed).fork("loss");
      calls.passes = () => random.fraction() > 0.33;
      for (let n = 0; n < 40; n++) {
        nodes[n % 7]?.gossip.send("news", number(n));
        if (n % 10 === 9) await time.advance(100);
      }
      await time.advance(15_000);
      for (const { heard } of nodes)
        expect([...heard].sort((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
      stop(nodes);
    }
  });

  it("what one side of a partition said reaches the other side after it heals", async () => {
    const { nodes, time, calls } = network(40, 5);
    const left = new Set(nodes.slice(0, 20).map(({ id }) => id));
    calls.passes = (from, to) => left.has(from) === left.has(to);
    nodes[0]?.gossip.send("news", number(1));
    nodes[30]?.gossip.send("news", number(2));
    await time.advance(30_000);
    calls.passes = () => true;
    await time.advance(4 * REPAIR_MS);
    for (const { heard } of nodes) expect([...heard].sort()).toEqual([1, 2]);
    stop(nodes);
  });

  it("GB3 and GB4: what is kept is bounded in number, bytes and time, and an idle network is silent", async () => {
    const { nodes, time, calls } = network(2, 6);
    const [a] = nodes as [Node, Node];
    for (let n = 0; n < KEPT_MAX + 10; n++) a.gossip.send("news", number(n % 256));
    expect(a.gossip.stats().kept).toBe(KEPT_MAX);
    for (let n = 0; n < 300; n++) a.gossip.send("news", new Uint8Array(BROADCAST_PAYLOAD_MAX));
    expect(a.gossip.stats().kept).toBeLessThanOrEqual(Math.floor(KEPT_BYTES_MAX / BROADCAST_PAYLOAD_MAX));
    await time.advance(MESSAGE_LIFE_MS + 2 * REPAIR_MS);
    expect(a.gossip.stats().kept).toBe(0);
    const before = calls.calls;
    await time.advance(10 * REPAIR_MS);
    expect(calls.calls).toBe(before);
    stop(nodes);
  });

  it("forged, expired, far-dated, oversized and a client's pushes are refused and not passed on", async () => {
    const { nodes, time, calls } = network(3, 7);
    const [a, b] = nodes as [Node, Node];
    const nowMs = Math.floor(time.wallMs());
    const message = { boot: 9, seq: 1, expiresMs: nowMs + 1000, topic: "news", payload: number(9) };
    const good = a.broadcasts.sign(message);
    const forged = Uint8Array.from(good);
    forged[forged.length - 1] = (forged[forged.length - 1] as number) ^ 1;
    const push = (role: NodeRole, list: readonly Uint8Array[]): Promise<unknown> => {
      const called = calls.caller(a.id, role)(b.id, CAST_METHODS.push, pushBody(list));
      return time.settle(
        called.then(
          () => "taken",
          (error: unknown) => errorCodeOf(error),
        ),
      );
    };
    const old = a.broadcasts.sign({ ...message, expiresMs: nowMs - CLOCK_SKEW_MS - 1 });
    const late = a.broadcasts.sign({ ...message, expiresMs: nowMs + MESSAGE_LIFE_MS + 2 * CLOCK_SKEW_MS });
    expect(await push("core", [forged, old, late, Uint8Array.of(1)])).toBe("taken");
    expect([b.gossip.stats().refused, b.heard.length, b.gossip.stats().pushed]).toEqual([4, 0, 0]);
    expect(await push("client", [good])).toBe("overlay.message-refused");
    expect(
      await push(
        "core",
        Array.from({ length: PUSH_MAX + 1 }, () => good),
      ),
    ).toBe("mesh.malformed-message");
    expect(await push("core", [good, good])).toBe("taken");
    await time.advance(1000);
    expect(b.heard).toEqual([9]);
    stop(nodes);
  });

  it("bad input of a sender, and rubbish from the network, end in typed errors", () => {
    const { nodes } = network(1);
    const { gossip } = nodes[0] as Node;
    const code = (run: () => unknown): unknown => {
      try {
        return run();
      } catch (error) {
        return errorCodeOf(error);
      }
    };
    expect(code(() => gossip.send("news", new Uint8Array(BROADCAST_PAYLOAD_MAX + 1)))).toBe("overlay.limit");
    expect(code(() => gossip.send("", number(1)))).toBe("overlay.limit");
    expect(code(() => gossip.on("news", () => undefined))).toBe("overlay.limit");
    expect(
      code(() => readIds(encodeCbor([1, Array.from({ length: OFFER_MAX + 1 }, () => new Uint8Array(16))]))),
    ).toBe("mesh.malformed-message");
    gossip.stop();
    expect(code(() => gossip.send("news", number(1)))).toBe("overlay.message-refused");
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const read of [readPush, readIds])
          expect([undefined, "mesh.malformed-message"]).toContain(code(() => void read(bytes)));
      }),
    );
  });
});
