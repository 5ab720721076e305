/**
 * The `Transport` port over the carriers of this package: TLS 1.3 on TCP always, QUIC when it is given.
 *
 * W1. One transport listens at one address at most and dials any number.
 * W2. `close` ends in order what is open, cuts off what is not a session yet, and leaves no handle or timer behind.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, HostPort, Logger, Meter, Random, Session, Timers, Transport } from "@glia-os/abi/ports";
import { Acceptor } from "./acceptor.ts";
import type { CarrierFactory } from "./carriers/carrier.ts";
import { CarrierChoice, type TransportMode } from "./carriers/carrier-choice.ts";
import { createTlsCarrier } from "./carriers/tls-carrier.ts";
import { type CertificateRotated, CertificateRotation } from "./certificate-rotation.ts";
import { INSTANCE_BYTES, type Ordinal } from "./control-payload.ts";
import { type DatagramCounts, DatagramSocket } from "./datagrams/datagram-socket.ts";
import { Dialer } from "./dialer.ts";
import {
  AlreadyListeningError,
  OptionOutOfRangeError,
  PeerIdentityError,
  TransportClosedError,
} from "./errors.ts";
import { FramedSession } from "./framed-session.ts";
import { DEFAULT_LIMITS, type WireLimits } from "./limits.ts";
import { CERTIFICATE_VALIDITY_MS } from "./node-certificate.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { SessionPool } from "./session-pool.ts";
import type { WireSession } from "./session-stats.ts";
import type { OwnSessionParts, Wire } from "./wire.ts";
import { WireMetrics } from "./wire-metrics.ts";

const SESSIONS_MAX = 10_000;
/** Longest delay Node's timers take. */
const DELAY_MS_MAX = 2 ** 31 - 1;

/** What a transport is made from. */
export interface WireTransportOptions {
  /** Who this node is: `loadOrCreateNodeIdentity` or `createNodeIdentity`. */
  readonly identity: NodeIdentity;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Cryptographic strength: serial numbers and the name of this running transport come from it. */
  readonly random: Random;
  /** Which carriers requests use (carriers/carrier-choice.ts). Default `auto`; without `quic` that is TLS. */
  readonly transport?: TransportMode;
  /** The QUIC carrier, where this process has it. */
  readonly quic?: CarrierFactory;
  /** `udp` (default): datagrams use UDP where a path works. `stream`: they stay on the shared stream. */
  readonly datagrams?: "udp" | "stream";
  /** Bounds that differ from {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<WireLimits>;
  /** Validity of each certificate in milliseconds, 3,000 to 90 days (default); renewed when a third is left. */
  readonly certificateValidityMs?: number;
  /** Told of every certificate that was replaced, by time or by `rotateCertificate`. */
  readonly onCertificate?: (event: CertificateRotated) => void;
  /** Told of every session that ends because its peer's certificate has expired. */
  readonly onPeerExpired?: (event: PeerCertificateExpired) => void;
  /** Takes readings every 5 s: sessions, messages, certificates (docs/spec/metrics.md). */
  readonly meter?: Meter;
  /** Told why incoming connections were refused. */
  readonly logger?: Logger;
}

/** A session ends because the certificate its peer showed has expired. */
export interface PeerCertificateExpired {
  readonly peer: NodeId;
  /** End of that certificate, milliseconds since the Unix epoch. */
  readonly notAfterMs: number;
}

/** A transport with what the port does not have. */
export interface WireTransport extends Transport {
  connect(address: HostPort, expect?: NodeId): Promise<WireSession>;
  /** Sessions that are not over, in the order they began. */
  readonly sessions: readonly WireSession[];
  /** Incoming connections that have not completed a session yet. */
  readonly pendingHandshakes: number;
  /** End of the current certificate, milliseconds since the Unix epoch. */
  readonly certificateNotAfterMs: number;
  /** The current certificate in PEM, as peers are shown it. */
  readonly certificatePem: string;
  /** Whether QUIC is among the carriers in use. */
  readonly hasQuic: boolean;
  /** Show a fresh certificate from now on; sessions that exist go on. */
  rotateCertificate(): CertificateRotated;
  /** What can be seen of the transport beyond its sessions. */
  stats(): TransportStats;
  /** The UDP port of datagrams, once one is bound. */
  readonly datagramPort: number | undefined;
}

/** A reading of a transport. */
export interface TransportStats {
  /** Sessions that are not over. */
  readonly sessions: number;
  /** Incoming connections that have not completed a session yet. */
  readonly pendingHandshakes: number;
  /** Packets that belonged to no session, or that the operating system did not take. */
  readonly datagrams: DatagramCounts;
}

/** Create a transport. It neither listens nor dials yet. @throws {OptionOutOfRangeError}, {CarrierUnavailableError} */
export function createWireTransport(options: WireTransportOptions): WireTransport {
  return new NodeTransport(options);
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new OptionOutOfRangeError(name, value, `an integer from ${min} to ${max}`);
  }
}

function checkedLimits(given: Partial<WireLimits>): WireLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  checkRange("limits.sessions", limits.sessions, 1, SESSIONS_MAX);
  checkRange("limits.idleMs", limits.idleMs, 1, DELAY_MS_MAX);
  checkRange("limits.connectTimeoutMs", limits.connectTimeoutMs, 1, DELAY_MS_MAX);
  checkRange("limits.keepaliveMs", limits.keepaliveMs, 1, DELAY_MS_MAX);
  return limits;
}

class NodeTransport implements WireTransport {
  readonly self: NodeId;
  readonly #wire: Wire;
  readonly #dialer: Dialer;
  readonly #acceptor: Acceptor;
  readonly #datagrams: { readonly socket: DatagramSocket; readonly random: Random } | undefined;
  readonly #metrics: WireMetrics | undefined;
  readonly #expired: (event: PeerCertificateExpired) => void;
  #listening = false;
  #bound: HostPort | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: WireTransportOptions) {
    const { identity, clock, timers, random, certificateValidityMs = CERTIFICATE_VALIDITY_MS } = options;
    checkRange("certificateValidityMs", certificateValidityMs, 3000, CERTIFICATE_VALIDITY_MS);
    const limits = checkedLimits(options.limits ?? {});
    this.self = identity.nodeId;
    const instance = Buffer.from(random.bytes(new Uint8Array(INSTANCE_BYTES))).toString("hex");
    let count = 0;
    const pool = new SessionPool(limits.sessions);
    const rotation = new CertificateRotation(
      { identity, clock, timers, random, validityMs: certificateValidityMs },
      (event) => {
        this.#metrics?.rotated();
        options.onCertificate?.(event);
      },
    );
    this.#expired = (event) => {
      this.#metrics?.peerExpired();
      options.onPeerExpired?.(event);
    };
    this.#datagrams =
      options.datagrams === "stream" ? undefined : { socket: new DatagramSocket(random), random };
    const ports = { rotation, wallMs: () => clock.wallMs() };
    const carriers = new CarrierChoice({
      mode: options.transport ?? "auto",
      tls: createTlsCarrier(ports),
      quic: options.quic?.(ports),
      clock,
      timers,
    });
    this.#wire = {
      self: identity.nodeId,
      clock,
      timers,
      limits,
      pool,
      rotation,
      carriers,
      nextOrdinal: (): Ordinal => ({ instance, count: ++count }),
      greeting: (peer) => this.#dialer.greeting(peer),
      openSession: (parts) => this.#openSession(parts),
    };
    this.#dialer = new Dialer(this.#wire);
    this.#acceptor = new Acceptor(this.#wire, options.logger);
    this.#metrics = this.#makeMetrics(options.meter);
  }

  get sessions(): readonly FramedSession[] {
    return this.#wire.pool.sessions;
  }

  get pendingHandshakes(): number {
    return this.#acceptor.pending;
  }

  get certificateNotAfterMs(): number {
    return this.#wire.rotation.notAfterMs;
  }

  get certificatePem(): string {
    return this.#wire.rotation.certificate.cert;
  }

  get hasQuic(): boolean {
    return this.#wire.carriers.hasQuic;
  }

  stats(): TransportStats {
    return {
      sessions: this.sessions.length,
      pendingHandshakes: this.pendingHandshakes,
      datagrams: this.#datagrams?.socket.counts ?? { strayIn: 0, unsent: 0 },
    };
  }

  get datagramPort(): number | undefined {
    return this.#datagrams?.socket.port;
  }

  rotateCertificate(): CertificateRotated {
    if (this.#closing !== undefined) throw new TransportClosedError();
    return this.#wire.rotation.rotate();
  }

  async listen(bind: HostPort): Promise<HostPort> {
    if (this.#closing !== undefined) throw new TransportClosedError();
    if (this.#listening) throw new AlreadyListeningError(this.#bound ?? bind);
    checkRange("port", bind.port, 0, 65_535);
    this.#listening = true;
    try {
      this.#bound = await this.#wire.carriers.listen(
        bind,
        (handshake) => void this.#acceptor.take(handshake),
      );
    } catch (error) {
      this.#listening = false;
      throw error;
    }
    // QUIC has the UDP port of this number; the port in use is told to each peer.
    const { host, port } = this.#bound;
    await this.#datagrams?.socket.bind({ host, port: this.#wire.carriers.hasQuic ? 0 : port });
    return this.#bound;
  }

  async connect(address: HostPort, expect?: NodeId): Promise<WireSession> {
    if (this.#closing !== undefined) throw new TransportClosedError();
    checkRange("port", address.port, 1, 65_535);
    if (expect === this.self) throw new PeerIdentityError(address, undefined, this.self);
    try {
      return await this.#dialer.connect(address, expect);
    } catch (error) {
      this.#metrics?.failed();
      throw error;
    }
  }

  onSession(accept: (session: Session) => void): void {
    this.#acceptor.onSession(accept);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#wire.rotation.stop();
    const stopped = this.#wire.carriers.stop();
    await Promise.all(this.sessions.map((session) => session.close("the node is closing")));
    this.#acceptor.close();
    this.#dialer.close();
    await Promise.all(this.sessions.map((session) => session.closed));
    this.#metrics?.stop();
    await Promise.all([stopped, this.#datagrams?.socket.close()]);
  }

  #makeMetrics(meter: Meter | undefined): WireMetrics | undefined {
    if (meter === undefined) return undefined;
    const { clock, timers, self: node } = this.#wire;
    return new WireMetrics({
      ...{ meter, node, clock, timers },
      sessions: () => this.sessions,
      strayPackets: () => this.stats().datagrams.strayIn,
      certificateNotAfterMs: () => this.certificateNotAfterMs,
    });
  }

  #openSession(parts: OwnSessionParts): FramedSession {
    const { clock, timers, limits, pool } = this.#wire;
    const session = new FramedSession({
      ...parts,
      clock,
      timers,
      limits,
      datagrams: this.#datagrams,
      expired: ({ peer, peerCertificateNotAfterMs: notAfterMs }) => this.#expired({ peer, notAfterMs }),
      leaving: (own) => pool.leave(own),
      over: (own) => {
        this.#metrics?.sessionOver(own);
        pool.remove(own);
      },
    });
    if (this.#closing !== undefined) void session.close("the node is closing");
    return session;
  }
}
