/**
 * A network in memory on virtual time, with the contract of the transport port and seeded faults.
 *
 * MN1. `request` and `bulk` messages of a session arrive whole, once and in order until the session closes; `datagram`s may be
 *      lost, doubled, delayed and reordered, as the faults say.
 * MN2. A broken session loses what was under way; both sides see `failed`.
 * MN3. Same seed, same calls: same deliveries at the same times. `traceHash` covers every delivered byte and its time.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type {
  Clock,
  Digests,
  HostPort,
  Session,
  SessionClosed,
  TimerHandle,
  Timers,
  TrafficClass,
  Transport,
} from "@glia-os/abi/ports";
import { MESSAGE_LIMIT_BYTES } from "@glia-os/abi/ports";
import { SeededRandom } from "@glia-os/abi/testing";
import { ascii } from "../codec/ascii.ts";
import { MeshStoppedError, MessageTooLargeError, PeerUnreachableError } from "../errors.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** What goes wrong, as probabilities from 0 to 1 and milliseconds. */
export interface NetworkFaults {
  /** A datagram is lost. */
  readonly loss: number;
  /** A datagram arrives twice. */
  readonly duplication: number;
  /** The session breaks when a stream message is sent. */
  readonly breaks: number;
  /** Every message takes at least this long... */
  readonly delayMs: number;
  /** ...and up to this much longer; datagrams overtake each other by it. */
  readonly jitterMs: number;
}

/** A network without faults, 1 ms away. */
export const CALM: NetworkFaults = { loss: 0, duplication: 0, breaks: 0, delayMs: 1, jitterMs: 0 };
const CONNECT_FAIL_MS = 50;
const CUT_OFF_MS = 1500;

/** Who takes part. */
export interface NetworkMember {
  readonly node: NodeId;
  readonly publicKey: Uint8Array;
}

/** One delivered message, for observers. */
export interface Delivery {
  readonly from: NodeId;
  readonly to: NodeId;
  readonly trafficClass: TrafficClass;
  readonly message: Uint8Array;
}

/** One process on the network: its ports end with it. */
export interface NetworkProcess {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Stop at once. Peers see their sessions break, or, when `silently`, notice nothing until they send. */
  crash(silently?: boolean): void;
  readonly running: boolean;
}

/** The network. */
export class MemoryNetwork {
  readonly #time: VirtualTime;
  readonly #digests: Digests;
  readonly #random: SeededRandom;
  readonly #listeners = new Map<string, MemoryTransport>();
  readonly #links = new Set<Wire>();
  #groups: ReadonlyMap<NodeId, number> = new Map();
  #nextPort = 1000;
  #hashHigh = 0x811c_9dc5;
  #hashLow = 0x01b3_6f2d;
  #delivered = 0;
  /** The faults from now on. */
  faults: NetworkFaults;
  /** Sees every message before it is delivered; returning false drops a datagram and breaks the session of any other. */
  onDelivery: ((delivery: Delivery, index: number) => boolean | undefined) | undefined;

  constructor(time: VirtualTime, digests: Digests, seed: number, faults: NetworkFaults = CALM) {
    this.#time = time;
    this.#digests = digests;
    this.#random = new SeededRandom(seed);
    this.faults = faults;
  }

  /** Messages delivered so far. */
  get delivered(): number {
    return this.#delivered;
  }

  /** A hash of everything delivered so far, and when (MN3). */
  get traceHash(): string {
    return [this.#hashHigh, this.#hashLow].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** Start a process. */
  process(member: NetworkMember): NetworkProcess {
    const transport = new MemoryTransport(this, member);
    const time = this.#time;
    let running = true;
    return {
      transport,
      clock: time,
      timers: {
        schedule: (delayMs, fire): TimerHandle => time.schedule(delayMs, () => void (running && fire())),
      },
      crash: (silently = false) => {
        running = false;
        transport.die(silently);
      },
      get running() {
        return running;
      },
    };
  }

  /** Let only nodes of the same group talk; nodes in no group talk to each other. */
  partition(...groups: readonly (readonly NodeId[])[]): void {
    this.#groups = new Map(groups.flatMap((group, index) => group.map((node) => [node, index] as const)));
  }

  /** Undo `partition`. */
  heal(): void {
    this.#groups = new Map();
  }

  /** Whether a message may pass. */
  connected(a: NodeId, b: NodeId): boolean {
    return this.#groups.get(a) === this.#groups.get(b);
  }

  /** Break every session between two nodes. */
  breakSessions(a: NodeId, b: NodeId): void {
    for (const wire of [...this.#links]) if (wire.joins(a, b)) wire.fail("the connection was reset");
  }

  /** For transports: take an address. */
  bind(transport: MemoryTransport, { host, port }: HostPort): HostPort {
    const address = { host, port: port === 0 ? this.#nextPort++ : port };
    this.#listeners.set(`${address.host}:${address.port}`, transport);
    return address;
  }

  /** For transports: give addresses back. */
  unbind(transport: MemoryTransport): void {
    for (const [address, listener] of this.#listeners)
      if (listener === transport) this.#listeners.delete(address);
  }

  /** For transports: dial. */
  dial(from: MemoryTransport, { host, port }: HostPort, expect: NodeId | undefined): Promise<Session> {
    return new Promise((resolve, reject) => {
      const { delayMs } = this.faults;
      const to = this.#listeners.get(`${host}:${port}`);
      const open = to?.open === true && this.connected(from.self, to.self);
      this.#time.schedule(open ? 2 * delayMs : CONNECT_FAIL_MS, () => {
        if (!from.open) return reject(new MeshStoppedError());
        if (!open || to?.open !== true || (expect !== undefined && expect !== to.self))
          return reject(new PeerUnreachableError(expect ?? `${host}:${port}`));
        const wire = new Wire(this, from, to, this.#random.bytes(new Uint8Array(32)));
        this.#links.add(wire);
        to.accept(wire.far);
        resolve(wire.near);
      });
    });
  }

  /** For sessions: keying material. */
  exporter(secret: Uint8Array, label: string, length: number): Uint8Array {
    return this.#digests.hmacSha256(secret, ascii(label)).slice(0, length);
  }

  /** For sessions: put a message on its way. */
  carry(wire: Wire, to: MemorySession, trafficClass: TrafficClass, message: Uint8Array): void {
    const { loss, duplication, breaks } = this.faults;
    const random = this.#random;
    if (!this.connected(to.peer, to.owner)) {
      if (trafficClass !== "datagram")
        this.#time.schedule(CUT_OFF_MS, () => wire.fail("the peer does not answer"));
      return;
    }
    if (trafficClass !== "datagram") {
      if (random.fraction() < breaks) wire.fail("the connection was reset");
      else this.#schedule(wire, to, trafficClass, message, true);
      return;
    }
    if (random.fraction() >= loss) this.#schedule(wire, to, trafficClass, message, false);
    if (random.fraction() < duplication) this.#schedule(wire, to, trafficClass, message, false);
  }

  /** For sessions: end one after everything that is on its way to it. */
  closeInOrder(session: MemorySession, reason: string): void {
    const atMs = Math.max(session.lastArrivalMs, this.#time.monotonicMs() + this.faults.delayMs);
    this.#time.schedule(atMs - this.#time.monotonicMs(), () => {
      session.end({ kind: "remote", reason });
      this.#links.delete(session.wire);
    });
  }

  /** For wires: forget one. */
  forget(wire: Wire): void {
    this.#links.delete(wire);
  }

  #schedule(
    wire: Wire,
    to: MemorySession,
    trafficClass: TrafficClass,
    message: Uint8Array,
    ordered: boolean,
  ): void {
    const { delayMs, jitterMs } = this.faults;
    const arriveMs = this.#time.monotonicMs() + delayMs + this.#random.fraction() * jitterMs;
    const atMs = ordered ? to.inOrder(trafficClass, arriveMs) : arriveMs;
    this.#time.schedule(atMs - this.#time.monotonicMs(), () => {
      if (!to.open) return;
      const delivery = { from: to.peer, to: to.owner, trafficClass, message };
      if (this.onDelivery?.(delivery, this.#delivered) === false) {
        if (ordered) wire.fail("the connection was reset");
        return;
      }
      // The observer may have ended the receiver.
      if (!to.open) return;
      this.#delivered++;
      this.#note(atMs, message);
      to.deliver(trafficClass, message);
    });
  }

  #note(atMs: number, message: Uint8Array): void {
    let high = Math.imul(this.#hashHigh ^ Math.floor(atMs * 1000), 0x0100_0193);
    let low = Math.imul(this.#hashLow ^ message.length, 0x0100_0193);
    for (const byte of message) {
      high = Math.imul(high ^ byte, 0x0100_0193);
      low = Math.imul(low + byte, 0x85eb_ca6b) ^ (low >>> 15);
    }
    this.#hashHigh = high;
    this.#hashLow = low;
  }
}

/** One node's end of the network. */
class MemoryTransport implements Transport {
  readonly self: NodeId;
  readonly publicKey: Uint8Array;
  readonly #network: MemoryNetwork;
  readonly #sessions = new Set<MemorySession>();
  #accept: (session: Session) => void = () => undefined;
  open = true;

  constructor(network: MemoryNetwork, { node, publicKey }: NetworkMember) {
    this.#network = network;
    this.self = node;
    this.publicKey = publicKey;
  }

  async listen(bind: HostPort): Promise<HostPort> {
    return this.#network.bind(this, bind);
  }

  connect(address: HostPort, expect?: NodeId): Promise<Session> {
    const existing = [...this.#sessions].find((session) => session.peer === expect && session.open);
    return existing === undefined ? this.#network.dial(this, address, expect) : Promise.resolve(existing);
  }

  onSession(accept: (session: Session) => void): void {
    this.#accept = accept;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close("the transport closes")));
    this.open = false;
    this.#network.unbind(this);
  }

  accept(session: MemorySession): void {
    this.#accept(session);
  }

  attach(session: MemorySession): void {
    this.#sessions.add(session);
  }

  detach(session: MemorySession): void {
    this.#sessions.delete(session);
  }

  die(silently: boolean): void {
    this.open = false;
    this.#network.unbind(this);
    for (const session of [...this.#sessions]) session.wire.abandon(session, silently);
  }
}

/** Both ends of one session. */
class Wire {
  readonly near: MemorySession;
  readonly far: MemorySession;
  readonly secret: Uint8Array;
  readonly network: MemoryNetwork;

  constructor(network: MemoryNetwork, from: MemoryTransport, to: MemoryTransport, secret: Uint8Array) {
    this.network = network;
    this.secret = secret;
    this.near = new MemorySession(this, from, to, true);
    this.far = new MemorySession(this, to, from, false);
  }

  other(session: MemorySession): MemorySession {
    return session === this.near ? this.far : this.near;
  }

  joins(a: NodeId, b: NodeId): boolean {
    const ends = [this.near.owner, this.far.owner];
    return ends.includes(a) && ends.includes(b);
  }

  fail(reason: string): void {
    this.near.end({ kind: "failed", reason });
    this.far.end({ kind: "failed", reason });
    this.network.forget(this);
  }

  /** One end's process died. */
  abandon(session: MemorySession, silently: boolean): void {
    session.end({ kind: "failed", reason: "the process died" });
    if (!silently) this.fail("the connection was reset");
  }
}

class MemorySession implements Session {
  readonly owner: NodeId;
  readonly peer: NodeId;
  readonly peerKey: Uint8Array;
  readonly initiator: boolean;
  readonly remote: HostPort = { host: "memory", port: 1 };
  readonly carrier = "memory";
  readonly wire: Wire;
  readonly closed: Promise<SessionClosed>;
  readonly #transport: MemoryTransport;
  readonly #lastMs: Record<TrafficClass, number> = { datagram: 0, request: 0, bulk: 0 };
  readonly #early: { readonly trafficClass: TrafficClass; readonly message: Uint8Array }[] = [];
  #settle: (closed: SessionClosed) => void = () => undefined;
  #receive: ((trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>) | undefined;
  open = true;

  constructor(wire: Wire, owner: MemoryTransport, peer: MemoryTransport, initiator: boolean) {
    this.wire = wire;
    this.owner = owner.self;
    this.peer = peer.self;
    this.peerKey = peer.publicKey;
    this.initiator = initiator;
    this.#transport = owner;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    owner.attach(this);
  }

  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array {
    return this.wire.network.exporter(this.wire.secret, label, lengthBytes);
  }

  async send(trafficClass: TrafficClass, message: Uint8Array): Promise<void> {
    if (message.length > MESSAGE_LIMIT_BYTES[trafficClass])
      throw new MessageTooLargeError("a message", message.length, MESSAGE_LIMIT_BYTES[trafficClass]);
    if (!this.open) throw new MeshStoppedError();
    this.wire.network.carry(this.wire, this.wire.other(this), trafficClass, message);
  }

  onMessage(receive: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>): void {
    this.#receive = receive;
    for (const { trafficClass, message } of this.#early.splice(0)) void receive(trafficClass, message);
  }

  async close(reason: string): Promise<void> {
    if (!this.open) return;
    this.open = false;
    // What was sent before is delivered first: the other side closes after the last of it.
    const other = this.wire.other(this);
    this.wire.network.closeInOrder(other, reason);
    this.#transport.detach(this);
    this.#settle({ kind: "local", reason });
  }

  /** The time a stream message may arrive, not before the ones sent earlier. */
  inOrder(trafficClass: TrafficClass, atMs: number): number {
    this.#lastMs[trafficClass] = Math.max(this.#lastMs[trafficClass], atMs);
    return this.#lastMs[trafficClass];
  }

  get lastArrivalMs(): number {
    return Math.max(this.#lastMs.request, this.#lastMs.bulk);
  }

  deliver(trafficClass: TrafficClass, message: Uint8Array): void {
    if (this.#receive === undefined) this.#early.push({ trafficClass, message });
    else void this.#receive(trafficClass, message);
  }

  end(closed: SessionClosed): void {
    if (!this.open) return;
    this.open = false;
    this.#transport.detach(this);
    this.#settle(closed);
  }
}
