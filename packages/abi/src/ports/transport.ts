/**
 * The wire as a port: authenticated sessions between two nodes that carry whole messages in three traffic classes.
 * `mesh-wire` implements it over TLS 1.3, QUIC and UDP; the simulator implements it in memory; one contract suite runs against both.
 *
 * T1. A session exists only after both sides proved their node identity. `peer` is never a claim.
 * T2. Messages of `request`, and of `bulk`, of one session arrive whole, once, and in order, until the session closes. A datagram
 *     arrives whole and at most once; it may be lost and may overtake another. Between classes there is no order.
 * T3. A class never waits for another: `bulk` cannot delay `datagram` or `request`.
 * T4. `send` resolves when the message is accepted under the class's buffer bound; awaiting it is the back-pressure.
 * T5. A message over the size limit is refused before anything is allocated or sent.
 */
import type { NodeId } from "../ids/node-id.ts";

/** `datagram`: small and urgent (probes, gossip), sent again by whoever needs it. `request`: calls and agent messages. `bulk`: snapshots and code. */
export type TrafficClass = "datagram" | "request" | "bulk";

/** Largest message per class in bytes. `bulk` and `request`: 16 MiB (the seeds' limit); `datagram`: what fits one packet on any path. */
export const MESSAGE_LIMIT_BYTES: Readonly<Record<TrafficClass, number>> = {
  datagram: 1200,
  request: 16 * 1024 * 1024,
  bulk: 16 * 1024 * 1024,
};

/** Where a node listens: a host name or address literal, and a TCP/UDP port (0 = any free one when listening). */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Why a session ended. */
export interface SessionClosed {
  /** `local`: this side closed. `remote`: the peer closed in order. `failed`: the connection broke or a rule was violated. */
  readonly kind: "local" | "remote" | "failed";
  /** A sentence for people. */
  readonly reason: string;
}

/** One authenticated connection to one peer. */
export interface Session {
  /** The proven identity of the other side (T1). */
  readonly peer: NodeId;
  /** The peer's raw Ed25519 public key: 32 bytes. */
  readonly peerKey: Uint8Array;
  /** Whether this side dialled. */
  readonly initiator: boolean;
  /** The address the peer is reached at, as seen from here. */
  readonly remote: HostPort;
  /** What carries this session's requests, for people: `tls-tcp` or `quic`. */
  readonly carrier: string;
  /** Bytes both sides can derive and nobody else (RFC 8446 section 7.5): for join proofs. */
  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array;
  /** Send one message (T2-T5). The bytes must not be changed afterwards. @throws `wire.message-too-large`, `wire.session-closed`. */
  send(trafficClass: TrafficClass, message: Uint8Array): Promise<void>;
  /** The one receiver of this session's messages. Returning a promise holds back that class until it settles (T4). */
  onMessage(receive: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>): void;
  /** Resolves once, when the session is over; never rejects. */
  readonly closed: Promise<SessionClosed>;
  /** Close in order: the requests and bulk messages accepted by `send` are delivered first, within one second. */
  close(reason: string): Promise<void>;
}

/** One endpoint that listens and dials. */
export interface Transport {
  /** This node. */
  readonly self: NodeId;
  /** Accept sessions at `bind`; returns the address in use. @throws `wire.address-in-use`, `wire.address-unavailable`. */
  listen(bind: HostPort): Promise<HostPort>;
  /**
   * A session to the node at `address`; an existing one to the same peer is returned. With `expect`, any other identity is refused.
   * @throws `wire.connect-timeout` (10 s), `wire.connect-failed`, `wire.peer-identity`, `wire.peer-certificate`, `wire.refused`,
   *   `wire.session-limit`, `wire.transport-closed`.
   */
  connect(address: HostPort, expect?: NodeId): Promise<Session>;
  /** The one receiver of sessions that peers open. */
  onSession(accept: (session: Session) => void): void;
  /** Close every session and stop listening. Idempotent; leaves no handle behind. */
  close(): Promise<void>;
}
