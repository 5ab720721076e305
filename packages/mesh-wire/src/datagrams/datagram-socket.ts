/**
 * The UDP socket of a transport and the sessions that use it.
 *
 * DS1. One socket per transport. It has the port number the transport listens at when that is free for UDP, else any.
 * DS2. A packet goes to the session its header names; one for no session is counted and dropped (SP3 of sealed-packet.ts).
 * DS3. Whatever the network does, nothing but a count comes of it: no error of the socket ends a session.
 * DS4. Without a socket (none could be bound) everything goes on over streams.
 */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { HostPort, Random } from "@glia-os/abi/ports";
import { type PacketHeader, readPacketHeader } from "./sealed-packet.ts";

/** Room the operating system is asked for; it may give less. */
const SOCKET_ROOM_BYTES = 1024 * 1024;
const PATH_BYTES = 4;

/** Takes the packets of one session. */
export type PacketReceiver = (packet: Uint8Array, header: PacketHeader, from: HostPort) => void;

/** What became of packets that reached no session. */
export interface DatagramCounts {
  /** Not a packet of ours, or for no session that is open. */
  readonly strayIn: number;
  /** Not taken by the operating system. */
  readonly unsent: number;
}

/** The socket. */
export class DatagramSocket {
  readonly #random: Random;
  readonly #paths = new Map<number, PacketReceiver>();
  #socket: Socket | undefined;
  #port: number | undefined;
  #binding: Promise<number | undefined> | undefined;
  #closed = false;
  #strayIn = 0;
  #unsent = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The port in use. */
  get port(): number | undefined {
    return this.#port;
  }

  /** What was dropped here so far. */
  get counts(): DatagramCounts {
    return { strayIn: this.#strayIn, unsent: this.#unsent };
  }

  /** Bind once; later calls return the first result. Resolves with the port, or with `undefined` (DS4). */
  bind(wish: HostPort): Promise<number | undefined> {
    this.#binding ??= this.#bind(wish);
    return this.#binding;
  }

  /** Reserve a name for a session's packets. */
  open(receive: PacketReceiver): number {
    const bytes = new Uint8Array(PATH_BYTES);
    for (;;) {
      const path = new DataView(this.#random.bytes(bytes).buffer).getUint32(0);
      if (this.#paths.has(path)) continue;
      this.#paths.set(path, receive);
      return path;
    }
  }

  /** Give the name back. */
  release(path: number): void {
    this.#paths.delete(path);
  }

  /** Send a packet; `done` is called when the operating system has taken or refused it. */
  send(packet: Uint8Array, to: HostPort, done: () => void): void {
    if (this.#socket === undefined || this.#closed) {
      this.#unsent++;
      queueMicrotask(done);
      return;
    }
    this.#socket.send(packet, to.port, to.host, (error) => {
      if (error !== null) this.#unsent++;
      done();
    });
  }

  /** Close the socket. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#paths.clear();
    await this.#binding;
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) await new Promise<void>((resolve) => socket.close(() => resolve()));
  }

  async #bind(wish: HostPort): Promise<number | undefined> {
    if (this.#closed) return undefined;
    this.#port =
      (await this.#tryPort(wish)) ??
      (wish.port === 0 ? undefined : await this.#tryPort({ ...wish, port: 0 }));
    return this.#port;
  }

  #tryPort(wish: HostPort): Promise<number | undefined> {
    const socket = createSocket({ type: isIPv6(wish.host) ? "udp6" : "udp4" });
    return new Promise((resolve) => {
      socket.once("error", () => {
        socket.close();
        resolve(undefined);
      });
      socket.bind({ port: wish.port, address: wish.host, exclusive: true }, () => {
        socket.removeAllListeners("error");
        socket.on("error", () => {});
        socket.on("message", (packet, { address, port }) => this.#take(packet, { host: address, port }));
        enlarge(socket);
        this.#socket = socket;
        resolve(socket.address().port);
      });
    });
  }

  #take(packet: Uint8Array, from: HostPort): void {
    const header = readPacketHeader(packet);
    const receive = header === undefined ? undefined : this.#paths.get(header.path);
    if (header === undefined || receive === undefined) this.#strayIn++;
    else receive(packet, header, from);
  }
}

function enlarge(socket: Socket): void {
  try {
    socket.setRecvBufferSize(SOCKET_ROOM_BYTES);
    socket.setSendBufferSize(SOCKET_ROOM_BYTES);
  } catch {
    // Some systems refuse instead of giving less; the default works too.
  }
}
