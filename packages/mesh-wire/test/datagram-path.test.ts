import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { HostPort } from "@glia-os/abi/ports";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { readPacketHeader } from "../src/datagrams/sealed-packet.ts";
import type { WireSession, WireTransport, WireTransportOptions } from "../src/index.ts";
import { LOOPBACK, makeTransport } from "./endpoints.ts";
import { settle, until } from "./ports.ts";
import { Relay } from "./relay.ts";

function numbered(index: number, size = 40): Uint8Array {
  const message = new Uint8Array(size).fill(index & 255);
  new DataView(message.buffer).setUint32(0, index);
  return message;
}

function numberOf(message: Uint8Array): number {
  return new DataView(message.buffer, message.byteOffset).getUint32(0);
}

const overUdp = (session: WireSession | undefined) => session?.stats().carriers.datagram === "udp";

describe("the UDP path of a session", () => {
  const opened: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((own) => own.close()));
  });

  interface Pair {
    readonly a: WireTransport;
    readonly b: WireTransport;
    readonly at: HostPort;
    readonly got: Uint8Array[];
  }

  async function pair(
    a: Partial<WireTransportOptions> = {},
    b: Partial<WireTransportOptions> = {},
  ): Promise<Pair> {
    const [one, other] = [makeTransport(a), makeTransport(b)];
    opened.push(one, other);
    const got: Uint8Array[] = [];
    other.onSession((session) => session.onMessage((_, message) => void got.push(message)));
    await one.listen(LOOPBACK);
    return { a: one, b: other, at: await other.listen(LOOPBACK), got };
  }

  /** Probes every 40 ms once the path works. */
  async function relayed(options: Partial<WireTransportOptions> = {}): Promise<Pair & { relay: Relay }> {
    const quick = { limits: { keepaliveMs: 120 }, ...options };
    const made = await pair(quick, quick);
    const relay = await Relay.start(made.at, made.a.datagramPort!, made.b.datagramPort!);
    opened.push(relay);
    return { ...made, relay };
  }

  it("DS1: the socket has the port number the transport listens at, or another when that is taken", async () => {
    const { a, b, at } = await pair();
    expect(b.datagramPort).toBe(at.port);
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    opened.push({ close: async () => void taken.close() });
    const third = makeTransport();
    opened.push(third);
    third.onSession(() => {});
    const bound = await third.listen({ host: "127.0.0.1", port: taken.address().port });
    expect(third.datagramPort).not.toBe(bound.port);
    const session = await a.connect(bound);
    await until(() => overUdp(session));
  });

  it("a node that does not listen has datagrams over UDP both ways", async () => {
    const { b, at, got } = await pair();
    const dialler = makeTransport();
    opened.push(dialler);
    const session = await dialler.connect(at);
    await until(() => overUdp(session) && overUdp(b.sessions[0]));
    await session.send("datagram", numbered(7));
    await until(() => got.length === 1);
    expect(numberOf(got[0]!)).toBe(7);
  });

  it.each(["udp", "stream"] as const)(
    "DL3: with one side that has no UDP, datagrams stay on the stream (%s dials)",
    async (first) => {
      const second = first === "udp" ? "stream" : "udp";
      const { a, at, got } = await pair({ datagrams: first }, { datagrams: second });
      const session = await a.connect(at);
      await session.send("datagram", numbered(1));
      await until(() => got.length === 1);
      await settle();
      expect(session.stats().carriers.datagram).toBe("tls-tcp");
    },
  );

  it.each([
    ["to the acceptor", true],
    ["to the dialler", false],
  ])(
    "DP1: a path that loses everything %s is not used, and datagrams arrive on the stream",
    async (_, lost) => {
      const { a, b, relay, got } = await relayed();
      relay.pass = (packet, toB) => (toB === lost ? [] : [packet]);
      const session = await a.connect(relay.address);
      await until(() => relay.seen.filter(({ toB }) => toB === lost).length >= 3);
      await session.send("datagram", numbered(3));
      await until(() => got.length === 1);
      expect([overUdp(session), overUdp(b.sessions[0])]).toEqual([false, false]);
    },
  );

  it("DP3: a path that stops is given up, the stream takes over, and the path is found again", async () => {
    const { a, relay, got } = await relayed();
    const session = await a.connect(relay.address);
    await until(() => overUdp(session));
    relay.pass = () => [];
    await until(() => !overUdp(session));
    await session.send("datagram", numbered(4));
    await until(() => got.length === 1);
    relay.pass = (packet) => [packet];
    await until(() => overUdp(session));
    await session.send("datagram", numbered(5));
    await until(() => got.length === 2);
    expect(relay.seen.some(({ packet }) => readPacketHeader(packet)?.kind === 1)).toBe(true);
  });

  it("RW1, SP3: a relay that repeats, reorders and damages packets adds nothing and takes no session down", async () => {
    const { a, b, relay, got } = await relayed();
    const session = await a.connect(relay.address);
    await until(() => overUdp(session) && overUdp(b.sessions[0]));
    let held: Buffer | undefined;
    let count = 0;
    relay.pass = (packet) => {
      const damaged = Buffer.from(packet);
      damaged[(count * 7) % damaged.length]! ^= 1 << (count & 7);
      if (count++ % 3 === 0 && held === undefined) {
        held = packet;
        return [damaged];
      }
      const late = held === undefined ? [] : [held];
      held = undefined;
      return [damaged, packet, packet, ...late, ...late];
    };
    for (let i = 0; i < 600; i++) {
      await session.send("datagram", numbered(i));
      await until(() => got.length >= i - 20);
    }
    await settle();
    const numbers = got.map(numberOf);
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(got.every((message) => Buffer.from(message).equals(numbered(numberOf(message))))).toBe(true);
    expect(numbers.length).toBeGreaterThan(550);
    expect(b.sessions[0]?.stats().packetsUnopened).toBeGreaterThan(600);
    expect(session.open).toBe(true);
  });

  it("RW1: packets recorded and sent again by a stranger are not taken, and the stranger gets no answer", async () => {
    const { a, b, relay, got } = await relayed({ limits: { keepaliveMs: 60_000 } });
    const session = await a.connect(relay.address);
    await until(() => overUdp(session) && overUdp(b.sessions[0]));
    for (let i = 0; i < 50; i++) await session.send("datagram", numbered(i));
    await until(() => got.length === 50);
    await settle();
    const before = b.sessions[0]!.stats().packetsUnopened;
    const recorded = relay.seen.filter(({ toB }) => toB).map(({ packet }) => packet);
    const stranger = createSocket("udp4").bind(0, "127.0.0.1");
    await once(stranger, "listening");
    opened.push({ close: async () => void stranger.close() });
    let answers = 0;
    stranger.on("message", () => answers++);
    for (const packet of recorded) stranger.send(packet, b.datagramPort!, "127.0.0.1");
    await until(() => b.sessions[0]!.stats().packetsUnopened === before + recorded.length);
    expect(got.length).toBe(50);
    expect(answers).toBe(0);
  });

  it("DP2: a peer whose packets come from another port from now on is found there", async () => {
    const { a, b, relay } = await relayed();
    const session = await a.connect(relay.address);
    const atA: number[] = [];
    session.onMessage((_, message) => void atA.push(numberOf(message)));
    await until(() => overUdp(session) && overUdp(b.sessions[0]));
    const moved = await relay.moveA();
    await until(() => b.sessions[0]?.stats().datagramsTo?.port === moved);
    await b.sessions[0]!.send("datagram", numbered(8));
    await until(() => atA.length === 1);
    expect(overUdp(b.sessions[0])).toBe(true);
  });

  it("SP3, DS2: 2,000 random packets to the port are counted, and nothing else happens", async () => {
    const { a, b, at, got } = await pair();
    const session = await a.connect(at);
    await until(() => overUdp(session) && overUdp(b.sessions[0]));
    const stranger = createSocket("udp4").bind(0, "127.0.0.1");
    await once(stranger, "listening");
    opened.push({ close: async () => void stranger.close() });
    let answers = 0;
    stranger.on("message", () => answers++);
    const packets = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 1400 }), 2000);
    for (const [i, packet] of packets.entries()) {
      stranger.send(packet, b.datagramPort!, "127.0.0.1");
      if (i % 50 === 49) await until(() => b.stats().datagrams.strayIn > i - 50);
    }
    await until(() => b.stats().datagrams.strayIn === 2000);
    await session.send("datagram", numbered(1));
    await until(() => got.length === 1);
    expect(answers).toBe(0);
    expect(overUdp(session)).toBe(true);
  });

  it("DL2: a burst of datagrams holds 64 KiB at most and drops the oldest, counted", async () => {
    const { a, at, b } = await pair();
    const session = await a.connect(at);
    await until(() => overUdp(session) && overUdp(b.sessions[0]));
    for (let i = 0; i < 1000; i++) void session.send("datagram", numbered(i, 1200));
    const { datagramsDroppedOut } = session.stats();
    expect(datagramsDroppedOut).toBeGreaterThan(850);
    expect(datagramsDroppedOut).toBeLessThan(1000);
    await until(() => session.idle);
  });

  it("a datagram under way when the session ends does not outlive it", async () => {
    const { a, at, b } = await pair();
    const session = await a.connect(at);
    await until(() => overUdp(session));
    for (let i = 0; i < 20; i++) void session.send("datagram", numbered(i));
    await session.close("enough");
    await until(() => b.sessions.length === 0);
    expect(session.stats().carriers.datagram).toBe("tls-tcp");
  });

  it("DS3: where no packet can reach the peer (an IPv4 socket, an IPv6 peer), datagrams stay on the stream", async () => {
    const { a, got } = await pair();
    const listener = makeTransport();
    opened.push(listener);
    listener.onSession((session) => session.onMessage((_, message) => void got.push(message)));
    const probe = createServer();
    probe.listen(0, "::1");
    const hasIpv6 = await Promise.race([
      once(probe, "listening").then(() => true),
      once(probe, "error").then(() => false),
    ]);
    probe.close();
    if (!hasIpv6) return;
    const session = await a.connect(await listener.listen({ host: "::1", port: 0 }));
    await session.send("datagram", numbered(2));
    await until(() => got.length === 1);
    expect(overUdp(session)).toBe(false);
  });
});
