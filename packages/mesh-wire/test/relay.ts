/**
 * A relay between two transports at 127.0.0.2: each sees the other there, for TCP and, at the other's UDP port, for datagrams.
 * What a test does to the packets on their way is its `pass`.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { HostPort } from "@glia-os/abi/ports";

const RELAY_HOST = "127.0.0.2";

/** Gives the packets to pass on for a packet on its way. */
export type Pass = (packet: Buffer, toB: boolean) => readonly Buffer[];

/** A running relay. */
export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #udp = new Map<number, UdpSocket>();
  readonly #a: number | undefined;
  readonly #b: number | undefined;
  /** Where A reaches B. */
  address: HostPort = { host: RELAY_HOST, port: 0 };
  /** Change it at any time. */
  pass: Pass = (packet) => [packet];
  /** Every packet that arrived at the relay. */
  readonly seen: { readonly packet: Buffer; readonly toB: boolean }[] = [];
  /** Swallow the bytes of streams instead of passing them on: the peer's host is gone without a word. */
  swallowStreams = false;

  private constructor(tcp: HostPort, aUdp: number | undefined, bUdp: number | undefined) {
    this.#a = aUdp;
    this.#b = bUdp;
    this.#server = createServer((inner) => this.#join(inner, connect({ ...tcp, localAddress: RELAY_HOST })));
  }

  /** @param b where B listens; the ports are those of their datagrams */
  static async start(b: HostPort, aUdp: number | undefined, bUdp: number | undefined): Promise<Relay> {
    const relay = new Relay(b, aUdp, bUdp);
    relay.#server.listen(0, RELAY_HOST);
    await once(relay.#server, "listening");
    relay.address = { host: RELAY_HOST, port: (relay.#server.address() as { port: number }).port };
    for (const port of [aUdp, bUdp]) if (port !== undefined) await relay.#open(port, port);
    return relay;
  }

  /** From now on A's packets come to B from another port. */
  async moveA(): Promise<number> {
    const moved = await this.#open(0, this.#a ?? 0);
    return moved.address().port;
  }

  /** Cut the streams off, with a reset. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const socket of this.#udp.values()) socket.close();
    this.#server.close();
    await once(this.#server, "close");
  }

  /** A port at which one of the two is seen by the other. */
  async #open(port: number, forWhom: number): Promise<UdpSocket> {
    const socket = createSocket("udp4");
    socket.on("error", () => {});
    socket.on("message", (packet) => this.#pass(packet, forWhom === this.#b));
    socket.bind(port, RELAY_HOST);
    await once(socket, "listening");
    const before = this.#udp.get(forWhom);
    this.#udp.set(forWhom, socket);
    before?.removeAllListeners("message");
    if (before !== undefined && forWhom === this.#a) before.close();
    return socket;
  }

  #pass(packet: Buffer, toB: boolean): void {
    this.seen.push({ packet, toB });
    const [from, to] = toB ? [this.#a ?? 0, this.#b ?? 0] : [this.#b ?? 0, this.#a ?? 0];
    for (const own of this.pass(packet, toB)) this.#udp.get(from)?.send(own, to, "127.0.0.1", () => {});
  }

  #join(a: Socket, b: Socket): void {
    for (const [socket, other] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        if (!this.swallowStreams) other.destroy();
      });
      socket.on("data", (chunk) => {
        if (!this.swallowStreams && !other.write(chunk)) {
          socket.pause();
          other.once("drain", () => socket.resume());
        }
      });
      socket.on("end", () => {
        if (!this.swallowStreams) other.end();
      });
    }
  }
}
