/**
 * The transport port on a simulated machine: sessions with proven identities over the machine's messages, whatever becomes of them.
 *
 * ST1. Each side proves its key by signing both nonces and both keys; a session exists at the dialler with the other's proof, at the other
 *      with the dialler's.
 * ST2. Two that dial each other at once get one session: the dial of the lower node id counts.
 * ST3. Of one boot of a peer at most one session is handed out at a time; a peer that booted again ends the sessions of its boot before.
 * ST4. At most {@link SESSIONS_MAX} sessions and {@link HALF_OPEN_MAX} that are not proven yet.
 */
import { type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type {
  Digests,
  HostPort,
  Random,
  Session,
  Signer,
  TimerHandle,
  Timers,
  TrafficClass,
  Transport,
} from "@glia-os/abi/ports";
import { finite, LIMIT_MAX, whole } from "../limits.ts";
import {
  SimulatedAddressUnavailableError,
  SimulatedAlreadyListeningError,
  SimulatedConnectFailedError,
  SimulatedConnectTimeoutError,
  SimulatedPeerIdentityError,
  SimulatedSessionLimitError,
  SimulatedTransportClosedError,
} from "./errors.ts";
import { ID_BYTES, idText, NONCE_BYTES, type Packet } from "./packet.ts";
import { SimulatedSession } from "./simulated-session.ts";

/** Sessions of one transport. */
export const SESSIONS_MAX = 4096;
/** Sessions of one transport whose dialler has not proven itself yet. */
export const HALF_OPEN_MAX = 256;
/** A dial ends after this, in milliseconds. */
export const CONNECT_MS = 10_000;
/** A session asks whether its peer is there after this, in milliseconds, unless told otherwise. */
export const KEEPALIVE_MS = 15_000;

/** Who a transport is, and how patient. */
export interface SimulatedTransportOptions {
  readonly signer: Signer;
  /** Such as `SIMULATED_DIGESTS`; real ones do as well. */
  readonly digests: Digests;
  /** 1 to 9e12 ms; default {@link KEEPALIVE_MS}. */
  readonly keepaliveMs?: number;
  /** 1 to {@link SESSIONS_MAX}, which is the default. */
  readonly sessionsMax?: number;
}

/** What a transport needs of its machine. */
export interface TransportHost {
  readonly random: Random;
  readonly timers: Timers;
  /** The machine a host name means, or -1. */
  machineOf(host: string): number;
  hostOf(machine: number): string;
  readonly self: number;
  bind(transport: SimulatedTransport, port: number): number;
  unbind(transport: SimulatedTransport): void;
  put(machine: number, trafficClass: TrafficClass, packet: Packet): void;
  /** Packets of a session go to this function from now on, or to nobody. */
  route(id: string, take: ((from: number, packet: Packet) => void) | undefined): void;
}

interface Dial {
  readonly address: HostPort;
  readonly machine: number;
  readonly id: string;
  readonly nonce: Uint8Array;
  readonly timer: TimerHandle;
  readonly session: Promise<SimulatedSession>;
  resolve(session: SimulatedSession): void;
  reject(error: unknown): void;
}

interface HalfOpen {
  readonly machine: number;
  readonly dial: Extract<Packet, { kind: "dial" }>;
  readonly peer: NodeId;
  readonly remote: HostPort;
  readonly nonce: Uint8Array;
  readonly timer: TimerHandle;
  readonly early: Packet[];
}

const keyOf = ({ host, port }: HostPort): string => `${host}:${port}`;

/** A transport of one boot of a machine. */
export class SimulatedTransport implements Transport {
  readonly self: NodeId;
  readonly #host: TransportHost;
  readonly #o: SimulatedTransportOptions;
  readonly #keepaliveMs: number;
  readonly #sessionsMax: number;
  readonly #instance: number;
  readonly #sessions = new Map<string, SimulatedSession>();
  readonly #dials = new Map<string, Dial>();
  readonly #halfOpen = new Map<string, HalfOpen>();
  #accept: (session: Session) => void = () => undefined;
  #address: HostPort | undefined;
  #closed = false;

  constructor(host: TransportHost, options: SimulatedTransportOptions) {
    this.#host = host;
    this.#o = options;
    const { keepaliveMs = KEEPALIVE_MS, sessionsMax = SESSIONS_MAX } = options;
    this.#keepaliveMs = finite("keepaliveMs", keepaliveMs, 1, LIMIT_MAX);
    this.#sessionsMax = whole("sessionsMax", sessionsMax, 1, SESSIONS_MAX);
    this.self = nodeIdOf(options.signer.publicKey, options.digests.sha256);
    this.#instance = host.random.uint32();
  }

  async listen(bind: HostPort): Promise<HostPort> {
    if (this.#closed) throw new SimulatedTransportClosedError();
    if (this.#address !== undefined) throw new SimulatedAlreadyListeningError(this.#address);
    const own = this.#host.hostOf(this.#host.self);
    if (this.#host.machineOf(bind.host) !== this.#host.self)
      throw new SimulatedAddressUnavailableError(bind, own);
    this.#address = { host: bind.host, port: this.#host.bind(this, bind.port) };
    return this.#address;
  }

  async connect(address: HostPort, expect?: NodeId): Promise<Session> {
    if (this.#closed) throw new SimulatedTransportClosedError();
    const known = this.#known(address, expect);
    const session = known ?? (await (this.#dials.get(keyOf(address)) ?? this.#dial(address)).session);
    if (expect === undefined || session.peer === expect) return session;
    if (known === undefined) void session.close("another node was expected");
    throw new SimulatedPeerIdentityError(address, expect, session.peer);
  }

  onSession(accept: (session: Session) => void): void {
    this.#accept = accept;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#host.unbind(this);
    for (const dial of [...this.#dials.values()]) this.#giveUp(dial, new SimulatedTransportClosedError());
    for (const [id, { timer }] of this.#halfOpen) {
      timer.cancel();
      this.#host.route(id, undefined);
    }
    this.#halfOpen.clear();
    await Promise.all([...this.#sessions.values()].map((session) => session.close("the transport closes")));
  }

  /** The streams to a machine broke. */
  reset(machine: number): void {
    for (const session of [...this.#sessions.values()])
      if (session.parts.machine === machine) session.fail("the connection was reset");
    for (const dial of [...this.#dials.values()])
      if (dial.machine === machine)
        this.#giveUp(dial, new SimulatedConnectFailedError(dial.address, "the connection was reset"));
  }

  /** Somebody dials this transport. */
  dialled(machine: number, dial: Extract<Packet, { kind: "dial" }>): void {
    const { id, key, port } = dial;
    const peer = nodeIdOf(key, this.#o.digests.sha256);
    const remote = { host: this.#host.hostOf(machine), port };
    const own = port === 0 ? undefined : this.#dials.get(keyOf(remote));
    const coming = this.#halfOpen.size;
    const full = coming >= HALF_OPEN_MAX || coming + this.#sessions.size >= this.#sessionsMax;
    const yielded = own !== undefined && this.self < peer;
    if (full || yielded || this.#closed) {
      this.#host.put(machine, "request", { kind: "refuse", id, yielded });
      return;
    }
    for (const session of [...this.#sessions.values()])
      if (session.peer === peer && session.parts.peerInstance !== dial.instance)
        session.fail("the peer was started again");
    const nonce = this.#host.random.bytes(new Uint8Array(NONCE_BYTES));
    const timer = this.#host.timers.schedule(CONNECT_MS, () => this.#forgetHalfOpen(id));
    this.#halfOpen.set(id, { machine, dial, peer, remote, nonce, timer, early: [] });
    this.#host.route(id, (from, packet) => this.#confirmed(from, packet));
    const { publicKey } = this.#o.signer;
    const proof = this.#prove(2, dial.nonce, nonce, key);
    this.#host.put(machine, "request", {
      kind: "accept",
      id,
      instance: this.#instance,
      key: publicKey,
      nonce,
      proof,
    });
  }

  /** A session that may be used for an address: open ones first, then one that a peer at that address is opening. */
  #known({ host, port }: HostPort, expect: NodeId | undefined): SimulatedSession | undefined {
    for (const session of this.#sessions.values())
      if (
        session.open &&
        (session.peer === expect || (session.remote.host === host && session.remote.port === port))
      )
        return session;
    return undefined;
  }

  #dial(address: HostPort): Dial {
    const { random, timers } = this.#host;
    const machine = this.#host.machineOf(address.host);
    const id = idText(random.bytes(new Uint8Array(ID_BYTES)));
    const nonce = random.bytes(new Uint8Array(NONCE_BYTES));
    let [resolve, reject]: [Dial["resolve"], Dial["reject"]] = [() => undefined, () => undefined];
    const session = new Promise<SimulatedSession>((settled, failed) => {
      [resolve, reject] = [settled, failed];
    });
    const timer = timers.schedule(CONNECT_MS, () =>
      this.#giveUp(dial, new SimulatedConnectTimeoutError(address, CONNECT_MS)),
    );
    const dial: Dial = { address, machine, id, nonce, timer, session, resolve, reject };
    this.#dials.set(keyOf(address), dial);
    if (this.#sessions.size >= this.#sessionsMax)
      this.#giveUp(dial, new SimulatedSessionLimitError(this.#sessionsMax));
    else if (machine < 0)
      this.#giveUp(dial, new SimulatedConnectFailedError(address, "it is no machine of this simulation"));
    else if ([...this.#halfOpen.values()].some(({ remote }) => keyOf(remote) === keyOf(address))) return dial;
    else this.#say(dial);
    return dial;
  }

  #say({ id, machine, address, nonce }: Dial): void {
    this.#host.route(id, (from, packet) => this.#answered(from, packet));
    const { publicKey: key } = this.#o.signer;
    const [to, port, instance] = [address.port, this.#address?.port ?? 0, this.#instance];
    this.#host.put(machine, "request", { kind: "dial", id, to, port, instance, key, nonce });
  }

  /** The answer to a dial of this transport. */
  #answered(from: number, packet: Packet): void {
    const dial = [...this.#dials.values()].find(({ id, machine }) => id === packet.id && machine === from);
    if (dial === undefined) return;
    if (packet.kind === "refuse") {
      // The other's own dial arrives instead.
      if (!packet.yielded)
        this.#giveUp(dial, new SimulatedConnectFailedError(dial.address, "nobody listens there"));
    } else if (packet.kind === "accept") this.#accepted(dial, packet);
    else if (packet.kind === "fail")
      this.#giveUp(dial, new SimulatedConnectFailedError(dial.address, "the connection was reset"));
  }

  #accepted(dial: Dial, { key, nonce, proof, instance }: Extract<Packet, { kind: "accept" }>): void {
    const { publicKey } = this.#o.signer;
    if (!this.#proven(key, proof, this.#covered(2, dial.nonce, nonce, publicKey))) {
      this.#giveUp(dial, new SimulatedConnectFailedError(dial.address, "it did not prove its key"));
      return;
    }
    const { id, machine, address: remote } = dial;
    this.#host.put(machine, "request", {
      kind: "confirm",
      id,
      proof: this.#prove(3, dial.nonce, nonce, key),
    });
    const secret = this.#o.digests.sha256(
      this.#covered(4, dial.nonce, nonce, Uint8Array.of(...publicKey, ...key)),
    );
    const session = this.#open({ id, machine, key, instance, remote, secret, initiator: true });
    // The dial is over when the other side has the session too: its first word says so.
    this.#host.route(id, (from, packet) => {
      if (from !== machine) return;
      if (this.#dials.get(keyOf(remote)) === dial) this.#settleDial(dial, session);
      session.receive(packet);
    });
  }

  /** A dialler that is not proven yet says something. */
  #confirmed(from: number, packet: Packet): void {
    const half = this.#halfOpen.get(packet.id);
    if (half === undefined || half.machine !== from) return;
    if (packet.kind !== "confirm") {
      // Bulk is a stream of its own and may be faster than the proof.
      if (packet.kind !== "datagram" && half.early.length < HALF_OPEN_MAX) half.early.push(packet);
      return;
    }
    this.#forgetHalfOpen(packet.id);
    const { dial, nonce, remote, machine, early } = half;
    const { publicKey } = this.#o.signer;
    if (!this.#proven(dial.key, packet.proof, this.#covered(3, dial.nonce, nonce, publicKey))) return;
    const { id, key, instance } = dial;
    const both = Uint8Array.of(...key, ...publicKey);
    const secret = this.#o.digests.sha256(this.#covered(4, dial.nonce, nonce, both));
    const session = this.#open({ id, machine, key, instance, remote, secret, initiator: false });
    this.#host.put(machine, "request", { kind: "pong", id });
    this.#accept(session);
    const own = this.#dials.get(keyOf(remote));
    if (own !== undefined) this.#settleDial(own, session);
    for (const before of early) session.receive(before);
  }

  #open(made: {
    readonly id: string;
    readonly machine: number;
    readonly key: Uint8Array;
    readonly instance: number;
    readonly remote: HostPort;
    readonly secret: Uint8Array;
    readonly initiator: boolean;
  }): SimulatedSession {
    const { id, machine, key, instance, remote, secret, initiator } = made;
    const session = new SimulatedSession({
      id,
      machine,
      peer: nodeIdOf(key, this.#o.digests.sha256),
      peerKey: Uint8Array.from(key),
      peerInstance: instance,
      initiator,
      remote,
      secret,
      digests: this.#o.digests,
      timers: this.#host.timers,
      keepaliveMs: this.#keepaliveMs,
      put: (trafficClass, packet) => this.#host.put(machine, trafficClass, packet),
      ended: () => {
        this.#sessions.delete(id);
        this.#host.route(id, undefined);
      },
    });
    this.#sessions.set(id, session);
    this.#host.route(id, (from, packet) => {
      if (from === machine) session.receive(packet);
    });
    return session;
  }

  #settleDial(dial: Dial, session: SimulatedSession): void {
    dial.timer.cancel();
    this.#dials.delete(keyOf(dial.address));
    if (dial.id !== session.parts.id) this.#host.route(dial.id, undefined);
    dial.resolve(session);
  }

  #giveUp(dial: Dial, error: unknown): void {
    dial.timer.cancel();
    if (this.#dials.get(keyOf(dial.address)) === dial) this.#dials.delete(keyOf(dial.address));
    this.#host.route(dial.id, undefined);
    dial.reject(error);
  }

  #forgetHalfOpen(id: string): void {
    this.#halfOpen.get(id)?.timer.cancel();
    this.#halfOpen.delete(id);
    this.#host.route(id, undefined);
  }

  #prove(purpose: number, dialler: Uint8Array, accepter: Uint8Array, other: Uint8Array): Uint8Array {
    return this.#o.signer.sign(this.#covered(purpose, dialler, accepter, other));
  }

  /** What a proof covers: its purpose, both nonces, and the key of whoever shall believe it. */
  #covered(purpose: number, dialler: Uint8Array, accepter: Uint8Array, key: Uint8Array): Uint8Array {
    return Uint8Array.of(purpose, ...dialler, ...accepter, ...key);
  }

  #proven(key: Uint8Array, proof: Uint8Array, covered: Uint8Array): boolean {
    return this.#o.digests.verify(key, covered, proof);
  }
}
