/**
 * One session between transports of simulated machines, with the contract of the transport port (T2 to T5).
 *
 * SE1. Requests and bulk messages have a sender, an inbox and credit of their own, so neither waits for the other; datagrams wait for nobody.
 * SE2. A datagram counts once: it has a number and a tag under the session's secret; what was changed, doubled or is old is dropped.
 * SE3. A side that hears nothing for two keepalive intervals, though it asked, ends the session.
 */
import type { NodeId } from "@glia-os/abi/ids";
import {
  type Digests,
  type HostPort,
  MESSAGE_LIMIT_BYTES,
  type Session,
  type SessionClosed,
  type TimerHandle,
  type Timers,
  type TrafficClass,
} from "@glia-os/abi/ports";
import { SimulatedMessageTooLargeError, SimulatedSessionClosedError } from "./errors.ts";
import { Inbox } from "./inbox.ts";
import { type Packet, STREAM_CLASSES, type StreamClass, TAG_BYTES } from "./packet.ts";
import { StreamSender } from "./stream-sender.ts";

/** Datagrams that wait on either side; the oldest gives way. */
export const DATAGRAMS_WAITING_MAX = 256;
/** Time that `close` gives to what was accepted before. */
export const CLOSE_MS = 1000;
const NUMBERS_BACK = 1024;

/** What a session is made of. */
export interface SessionParts {
  readonly id: string;
  readonly machine: number;
  readonly peer: NodeId;
  readonly peerKey: Uint8Array;
  readonly peerInstance: number;
  readonly initiator: boolean;
  readonly remote: HostPort;
  /** Both sides know it. */
  readonly secret: Uint8Array;
  readonly digests: Digests;
  readonly timers: Timers;
  readonly keepaliveMs: number;
  put(trafficClass: TrafficClass, packet: Packet): void;
  /** The session is over. */
  ended(): void;
}

/** A session. */
export class SimulatedSession implements Session {
  readonly peer: NodeId;
  readonly peerKey: Uint8Array;
  readonly initiator: boolean;
  readonly remote: HostPort;
  readonly carrier = "simulated";
  readonly closed: Promise<SessionClosed>;
  readonly parts: SessionParts;
  readonly #senders: Readonly<Record<StreamClass, StreamSender>>;
  readonly #inboxes: Readonly<Record<TrafficClass, Inbox>>;
  readonly #datagrams: Uint8Array[] = [];
  readonly #seen = new Set<number>();
  readonly #closes = new Set<StreamClass>();
  readonly #left: Record<StreamClass, number> = { request: 0, bulk: 0 };
  #settle: (closed: SessionClosed) => void = () => undefined;
  #flush: TimerHandle | undefined;
  #keepalive: TimerHandle | undefined;
  #sentDatagrams = 0;
  #highest = 0;
  #silent = 0;
  #closing: Promise<void> | undefined;
  #over = "";

  constructor(parts: SessionParts) {
    this.parts = parts;
    this.peer = parts.peer;
    this.peerKey = parts.peerKey;
    this.initiator = parts.initiator;
    this.remote = parts.remote;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const sender = (stream: StreamClass): StreamSender =>
      new StreamSender((bytes, left) =>
        this.#put(stream, { kind: "data", id: parts.id, stream, left, bytes }),
      );
    this.#senders = { request: sender("request"), bulk: sender("bulk") };
    const failed = (error: unknown): void => this.fail(`its receiver threw ${String(error)}`);
    const inbox = (stream: StreamClass): Inbox =>
      new Inbox((more) => this.#put(stream, { kind: "credit", id: parts.id, stream, more }), failed);
    this.#inboxes = {
      request: inbox("request"),
      bulk: inbox("bulk"),
      datagram: new Inbox(() => undefined, failed, DATAGRAMS_WAITING_MAX),
    };
    this.#watch();
  }

  /** Whether messages may still be sent. */
  get open(): boolean {
    return this.#over === "" && this.#closing === undefined;
  }

  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array {
    const { digests, secret } = this.parts;
    const name = Uint8Array.from(label, (letter) => letter.charCodeAt(0) & 0xff);
    const bytes = new Uint8Array(lengthBytes);
    for (let at = 0, round = 1; at < lengthBytes; at += 32, round++)
      bytes.set(
        digests.hmacSha256(secret, Uint8Array.of(...name, 0, round)).subarray(0, lengthBytes - at),
        at,
      );
    return bytes;
  }

  async send(trafficClass: TrafficClass, message: Uint8Array): Promise<void> {
    const most = MESSAGE_LIMIT_BYTES[trafficClass];
    if (message.length > most) throw new SimulatedMessageTooLargeError(trafficClass, message.length, most);
    if (!this.open) throw new SimulatedSessionClosedError(this.#over || "it is being closed");
    if (trafficClass !== "datagram") return this.#senders[trafficClass].send(message);
    this.#datagrams.push(message);
    if (this.#datagrams.length > DATAGRAMS_WAITING_MAX) this.#datagrams.shift();
    this.#flush ??= this.parts.timers.schedule(0, () => this.#sendDatagrams());
  }

  onMessage(receive: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>): void {
    for (const trafficClass of ["datagram", ...STREAM_CLASSES] as const)
      this.#inboxes[trafficClass].receiver((message) => receive(trafficClass, message));
  }

  close(reason: string): Promise<void> {
    if (this.#over !== "") return Promise.resolve();
    this.#closing ??= this.#closeInOrder(reason);
    return this.#closing;
  }

  /** A packet of the other side. */
  receive(packet: Packet): void {
    if (this.#over !== "") return;
    this.#silent = 0;
    if (packet.kind === "data") this.#data(packet);
    else if (packet.kind === "credit") this.#senders[packet.stream].credited(packet.more);
    else if (packet.kind === "datagram") this.#datagram(packet);
    else if (packet.kind === "close") this.#peerCloses(packet.stream, packet.reason);
    else if (packet.kind === "ping") this.#put("request", { kind: "pong", id: this.parts.id });
    else if (packet.kind === "fail") {
      // What closed in order may be told before all of it was heard.
      if (this.#closes.size > 0) this.#end({ kind: "remote", reason: "the peer closed" });
      else this.#end({ kind: "failed", reason: "the peer ended it" });
    }
  }

  /** End it now; the peer is told. */
  fail(reason: string): void {
    if (this.#over !== "") return;
    this.#put("request", { kind: "fail", id: this.parts.id });
    this.#end({ kind: "failed", reason });
  }

  #put(trafficClass: TrafficClass, packet: Packet): void {
    this.parts.put(trafficClass, packet);
  }

  #data({ stream, left, bytes }: Extract<Packet, { kind: "data" }>): void {
    const before = this.#left[stream];
    const whole = before === 0 ? bytes.length + left : before;
    if (whole > MESSAGE_LIMIT_BYTES[stream] || whole !== bytes.length + left) {
      this.fail("its peer sent more than a message may have");
      return;
    }
    this.#left[stream] = left;
    this.#inboxes[stream].part(bytes, left);
  }

  #sendDatagrams(): void {
    this.#flush = undefined;
    if (this.#over !== "") return;
    for (const bytes of this.#datagrams.splice(0)) {
      const counter = ++this.#sentDatagrams;
      const tag = this.#tag(this.initiator, counter, bytes);
      this.#put("datagram", { kind: "datagram", id: this.parts.id, counter, tag, bytes });
    }
  }

  #datagram({ counter, tag, bytes }: Extract<Packet, { kind: "datagram" }>): void {
    if (counter <= this.#highest - NUMBERS_BACK || this.#seen.has(counter)) return;
    if (!this.parts.digests.equalConstantTime(tag, this.#tag(!this.initiator, counter, bytes))) return;
    this.#seen.add(counter);
    this.#highest = Math.max(this.#highest, counter);
    if (this.#seen.size > 2 * NUMBERS_BACK)
      for (const old of this.#seen) if (old <= this.#highest - NUMBERS_BACK) this.#seen.delete(old);
    this.#inboxes.datagram.part(bytes, 0);
  }

  #tag(byInitiator: boolean, counter: number, bytes: Uint8Array): Uint8Array {
    const { digests, secret } = this.parts;
    const covered = new Uint8Array(5 + bytes.length);
    covered[0] = byInitiator ? 1 : 0;
    new DataView(covered.buffer).setUint32(1, counter);
    covered.set(bytes, 5);
    return digests.hmacSha256(secret, covered).subarray(0, TAG_BYTES);
  }

  async #closeInOrder(reason: string): Promise<void> {
    const why = `it was closed: ${reason}`;
    const sent = Promise.all(STREAM_CLASSES.map((stream) => this.#senders[stream].finish(why)));
    await this.#within(sent);
    if (this.#over !== "") return;
    this.#sendDatagrams();
    for (const stream of STREAM_CLASSES)
      this.#put(stream, { kind: "close", id: this.parts.id, stream, reason });
    this.#end({ kind: "local", reason });
  }

  /** Both streams are over, and what came on them is handled. */
  #peerCloses(stream: StreamClass, reason: string): void {
    this.#closes.add(stream);
    if (this.#closes.size < STREAM_CLASSES.length) return;
    const drained = Promise.all(STREAM_CLASSES.map((one) => this.#inboxes[one].drained()));
    void this.#within(drained).then(() =>
      this.#end(this.#closing === undefined ? { kind: "remote", reason } : { kind: "local", reason }),
    );
  }

  #within(work: Promise<unknown>): Promise<unknown> {
    let timer: TimerHandle | undefined;
    const late = new Promise((resolve) => {
      timer = this.parts.timers.schedule(CLOSE_MS, () => resolve(undefined));
    });
    return Promise.race([work, late]).finally(() => timer?.cancel());
  }

  #watch(): void {
    this.#keepalive = this.parts.timers.schedule(this.parts.keepaliveMs, () => {
      if (this.#silent >= 2) return this.fail("the peer does not answer");
      this.#silent++;
      this.#put("request", { kind: "ping", id: this.parts.id });
      this.#watch();
    });
  }

  #end(closed: SessionClosed): void {
    if (this.#over !== "") return;
    this.#over = closed.reason || closed.kind;
    this.#keepalive?.cancel();
    this.#flush?.cancel();
    for (const stream of STREAM_CLASSES) this.#senders[stream].end(this.#over);
    this.parts.ended();
    this.#settle(closed);
  }
}
