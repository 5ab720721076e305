/**
 * The wire between two processes on loopback: what TLS carries, how long a round trip takes on TLS and on QUIC, and how long a probe takes
 * while bulk moves.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { TrafficClass } from "@glia-os/abi/ports";
import { createSystemClock, createSystemRandom, createSystemTimers } from "@glia-os/hal";
import {
  createNodeIdentity,
  createWireTransport,
  type WireSession,
  type WireTransport,
} from "@glia-os/mesh-wire";
import { quicOnly } from "../src/quic-only.ts";
import type { Contestant, RowDefinition, Suite } from "../src/suite.ts";
import { RAW_BULK_BYTES } from "../src/wire-peer.ts";

const MEBIBYTE = 1024 * 1024;
const BULK_MESSAGE_BYTES = 4 * MEBIBYTE;
const BULK_BYTES = RAW_BULK_BYTES;
const RAW_WRITE_BYTES = 256 * 1024;
const PROBED_BULK_BYTES = 1024 * MEBIBYTE;
/** More often than any node probes another, so that 1 GiB has many probes. */
const PROBE_INTERVAL_MS = 2;
/** Round trips before the first that counts: the code of both processes is compiled by then, which takes some 2,000 (seen on Node 26). */
const WARM_ROUND_TRIPS = 4000;
const LOOPBACK =
  "both processes are on one machine; a network adds its round trips and the time its bandwidth takes";

/** This process's end, and the process at the other end. */
class Ends {
  readonly session: WireSession;
  readonly #transport: WireTransport;
  readonly #peer: ChildProcess;
  #receive: ((trafficClass: TrafficClass, message: Uint8Array) => void) | undefined;

  private constructor(transport: WireTransport, session: WireSession, peer: ChildProcess) {
    this.#transport = transport;
    this.session = session;
    this.#peer = peer;
    session.onMessage((trafficClass, message) => this.#receive?.(trafficClass, message));
  }

  static async open(datagrams: "udp" | "stream", carrier: "tls" | "quic" = "tls"): Promise<Ends> {
    const peer = fork(new URL("../src/wire-peer.ts", import.meta.url));
    const [{ port }] = (await once(peer, "message")) as [{ port: number }];
    const transport = newTransport(datagrams, carrier);
    const session = await transport.connect({ host: "127.0.0.1", port });
    const ends = new Ends(transport, session, peer);
    while (datagrams === "udp" && session.stats().carriers.datagram !== "udp")
      await ends.roundTrip("request", 64);
    return ends;
  }

  /** What comes back from now on. */
  receive(take: (trafficClass: TrafficClass, message: Uint8Array) => void): void {
    this.#receive = take;
  }

  /** One message there and back. */
  async roundTrip(trafficClass: TrafficClass, size: number): Promise<void> {
    const back = Promise.withResolvers<void>();
    this.receive(() => back.resolve());
    await this.session.send(trafficClass, new Uint8Array(size));
    await back.promise;
  }

  /** Send this much of bulk and wait until the other process has it all. */
  async bulk(bytes: number, arrived: Promise<void>): Promise<void> {
    const message = new Uint8Array(BULK_MESSAGE_BYTES);
    for (let sent = 0; sent < bytes; sent += message.length) await this.session.send("bulk", message);
    await this.session.send("bulk", Uint8Array.of(1));
    await arrived;
  }

  async close(): Promise<void> {
    await this.#transport.close();
    this.#peer.disconnect();
    await once(this.#peer, "exit");
  }
}

function newTransport(datagrams: "udp" | "stream", carrier: "tls" | "quic" = "tls"): WireTransport {
  return createWireTransport({
    ...(carrier === "quic" ? quicOnly() : {}),
    identity: createNodeIdentity(),
    clock: createSystemClock(),
    timers: createSystemTimers(),
    random: createSystemRandom(),
    datagrams,
  });
}

async function bulk(): Promise<Contestant> {
  const ends = await Ends.open("stream");
  return {
    async value() {
      const arrived = Promise.withResolvers<void>();
      ends.receive(() => arrived.resolve());
      const startMs = performance.now();
      await ends.bulk(BULK_BYTES, arrived.promise);
      return BULK_BYTES / 1e6 / ((performance.now() - startMs) / 1000);
    },
    close: () => ends.close(),
  };
}

async function echo(
  trafficClass: TrafficClass,
  datagrams: "udp" | "stream",
  carrier: "tls" | "quic" = "tls",
): Promise<Contestant> {
  const ends = await Ends.open(datagrams, carrier);
  for (let i = 0; i < WARM_ROUND_TRIPS; i++) await ends.roundTrip(trafficClass, 64);
  return {
    async run(times) {
      for (let i = 0; i < times; i++) await ends.roundTrip(trafficClass, 64);
    },
    close: () => ends.close(),
  };
}

async function connecting(carrier: "tls" | "quic"): Promise<Contestant> {
  const ends = await Ends.open("stream");
  return {
    async run(times) {
      for (let i = 0; i < times; i++) {
        const transport = newTransport("stream", carrier);
        await transport.connect(ends.session.remote);
        await transport.close();
      }
    },
    close: () => ends.close(),
  };
}

/** A plain TLS connection to the other process, without framing, classes or client certificate. */
async function rawTls(): Promise<{ socket: TLSSocket; close: () => Promise<void> }> {
  const peer = fork(new URL("../src/wire-peer.ts", import.meta.url));
  const [{ rawPort }] = (await once(peer, "message")) as [{ rawPort: number }];
  const socket = connect({ host: "127.0.0.1", port: rawPort, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  socket.setNoDelay(true);
  const close = async () => {
    socket.destroy();
    peer.disconnect();
    await once(peer, "exit");
  };
  return { socket, close };
}

async function rawBulk(): Promise<Contestant> {
  const { socket, close } = await rawTls();
  const buffer = Buffer.alloc(RAW_WRITE_BYTES, "b");
  return {
    async value() {
      const startMs = performance.now();
      for (let sent = 0; sent < RAW_BULK_BYTES; sent += buffer.length) {
        if (!socket.write(buffer)) await once(socket, "drain");
      }
      await once(socket, "data");
      return RAW_BULK_BYTES / 1e6 / ((performance.now() - startMs) / 1000);
    },
    close,
  };
}

async function rawEcho(): Promise<Contestant> {
  const { socket, close } = await rawTls();
  const run = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      const back = Promise.withResolvers<void>();
      socket.once("data", () => back.resolve());
      socket.write(Buffer.alloc(64));
      await back.promise;
    }
  };
  await run(WARM_ROUND_TRIPS);
  return { run, close };
}

/** The 99th percentile of probe round trips while 1 GiB moves: at least as long as the delay of a probe one way. */
async function probing(datagrams: "udp" | "stream"): Promise<Contestant> {
  const ends = await Ends.open(datagrams);
  return {
    async value() {
      const delays: number[] = [];
      const sentAt = new Map<number, number>();
      const arrived = Promise.withResolvers<void>();
      ends.receive((trafficClass, message) => {
        if (trafficClass === "request") arrived.resolve();
        else delays.push(performance.now() - (sentAt.get(Buffer.from(message).readUInt32BE()) ?? 0));
      });
      const timer = setInterval(() => {
        const probe = Buffer.alloc(64);
        probe.writeUInt32BE(sentAt.size);
        sentAt.set(sentAt.size, performance.now());
        void ends.session.send("datagram", probe);
      }, PROBE_INTERVAL_MS);
      await ends.bulk(PROBED_BULK_BYTES, arrived.promise);
      clearInterval(timer);
      const sorted = delays.sort((x, y) => x - y);
      return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.POSITIVE_INFINITY;
    },
    close: () => ends.close(),
  };
}

const connectRow = (carrier: "tls" | "quic"): RowDefinition => ({
  id: `${carrier}-connect`,
  what: `a new transport, a session with mutual TLS 1.3 ${carrier === "quic" ? "in QUIC " : ""}to another process, and the close of both`,
  unit: "ms",
  better: "lower",
  excludes: `making the node's long-term key is part of it; ${LOOPBACK}`,
  glia: () => connecting(carrier),
  peers: {},
});

export const suite: Suite = {
  title: "the wire between two processes",
  rows: [
    {
      id: "tls-bulk",
      what: "MB (10^6 bytes) per second of bulk in messages of 4 MiB over TLS 1.3, 256 MiB, until the other process has all of it",
      unit: "MB/s",
      better: "higher",
      excludes: LOOPBACK,
      target: { min: 600 },
      glia: bulk,
      peers: { "node-tls": rawBulk },
    },
    {
      id: "tls-round-trip",
      what: "a request of 64 bytes over TLS 1.3 to another process and back, awaited",
      unit: "us",
      better: "lower",
      excludes: LOOPBACK,
      target: { max: 100 },
      glia: () => echo("request", "stream"),
      peers: { "node-tls": rawEcho },
    },
    {
      id: "datagram-round-trip",
      what: "a datagram of 64 bytes in a sealed UDP packet to another process and back, awaited",
      unit: "us",
      better: "lower",
      excludes: LOOPBACK,
      glia: () => echo("datagram", "udp"),
      peers: {},
    },
    connectRow("tls"),
    {
      id: "quic-round-trip",
      what: "a request of 64 bytes over QUIC to another process and back, awaited, beside the same over TLS on TCP",
      unit: "us",
      better: "lower",
      excludes: LOOPBACK,
      target: { max: 100 },
      glia: () => echo("request", "stream", "quic"),
      peers: { tls: () => echo("request", "stream") },
    },
    connectRow("quic"),
    {
      id: "probe-under-bulk",
      what: "99th percentile of the round trip of a datagram over UDP, one every 2 ms, while 1 GiB moves in bulk between the same two processes",
      unit: "ms",
      better: "lower",
      excludes: LOOPBACK,
      target: { max: 20 },
      glia: () => probing("udp"),
      peers: {},
    },
    {
      id: "probe-under-bulk-stream",
      what: "the same with datagrams on the shared stream",
      unit: "ms",
      better: "lower",
      excludes: LOOPBACK,
      target: { max: 20 },
      glia: () => probing("stream"),
      peers: {},
    },
  ],
};
