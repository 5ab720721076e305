/** Bounds of a session and of a transport. The ones that both sides must agree on are part of docs/spec/frame.md. */
import type { TrafficClass } from "@glia-os/abi/ports";

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of request frames a receiver takes before it must be granted more (docs/spec/frame.md section 5). */
export const REQUEST_WINDOW_BYTES: number = MIB;
/** What a request frame costs beyond its payload: header and bookkeeping, so that empty messages are not free. */
export const FRAME_COST_BYTES = 64;
/** Credit is returned in portions of this size, to keep credit frames rare. */
export const CREDIT_PORTION_BYTES: number = REQUEST_WINDOW_BYTES / 4;

/** Most bytes of accepted messages that wait to be written, per class. */
export const OUTBOX_BYTES: Readonly<Record<TrafficClass, number>> = {
  datagram: 64 * KIB,
  request: MIB,
  bulk: 17 * MIB,
};
/** Most sends per class that wait to be accepted. */
export const WAITING_SENDS = 16_384;
/** Most bytes of received datagrams that wait for the receiver. */
export const DATAGRAM_INBOX_BYTES: number = 64 * KIB;

/**
 * Bytes one connection writes in one turn of the event loop. The operating system often takes a write at once and the next one follows from its
 * callback, so that without this bound a fast reader would keep the sender's loop from everything else for tens of milliseconds.
 */
export const TURN_BYTES: number = 2 * MIB;

/** How a connection is written to: little at a time where probes travel, more for bulk. */
export interface WriteBounds {
  /** Bytes handed to the socket and not yet taken by the operating system. */
  readonly inSocketBytes: number;
  /** Most bytes written to the socket at once. */
  readonly batchBytes: number;
}

/** Of a shared connection. */
export const SHARED_WRITES: WriteBounds = { inSocketBytes: 64 * KIB, batchBytes: 64 * KIB };
/** Of a bulk connection. Fewer, larger writes carry about a third more per second. */
export const BULK_WRITES: WriteBounds = { inSocketBytes: 512 * KIB, batchBytes: 256 * KIB };

/** How long an orderly close may take, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 1000;
/** How long an older session to the same peer may live on after a newer one, in milliseconds. Covers its orderly close. */
export const SUPERSEDED_MS = 5000;
/** Probes of a UDP path between two keepalives: a path that ceased to work is given up within one keepalive interval. */
export const PROBES_PER_KEEPALIVE = 3;
/** Silent keepalive intervals after which a peer is dead. */
export const MISSED_KEEPALIVES = 3;
/** Incoming connections that have not completed a session yet. */
export const PENDING_HANDSHAKES = 128;

/** Bounds a program may change. */
export interface WireLimits {
  /** Open sessions, 1 to 10,000. Default 100. */
  readonly sessions: number;
  /** A session without a message for this long is closed, in milliseconds, 1 or more. Default 300,000. */
  readonly idleMs: number;
  /** TCP, TLS and hello together, in milliseconds, 1 or more; holds for both sides. Default 10,000. */
  readonly connectTimeoutMs: number;
  /** Time between two keepalives, in milliseconds, 1 or more. Default 15,000. */
  readonly keepaliveMs: number;
}

/** The bounds used without options. */
export const DEFAULT_LIMITS: WireLimits = {
  sessions: 100,
  idleMs: 300_000,
  connectTimeoutMs: 10_000,
  keepaliveMs: 15_000,
};
