/** What can be seen of a session. */
import type { HostPort, Session, TrafficClass } from "@glia-os/abi/ports";
import type { CarrierName } from "./carriers/carrier.ts";

/** Messages and their bytes of one class, without framing. A message counts out when `send` took it. */
export interface ClassCounts {
  messagesIn: number;
  messagesOut: number;
  bytesIn: number;
  bytesOut: number;
}

/** A reading of a session. */
export interface SessionStats {
  /** What carries each class. Bulk is on its own connection (docs/spec/frame.md section 1). */
  readonly carriers: Readonly<Record<TrafficClass, CarrierName | "udp">>;
  /** Connections in use: 1, or 2 once bulk was sent either way. */
  readonly connections: number;
  /** Bytes of frames, before TLS. */
  readonly bytesIn: number;
  /** Bytes of frames, before TLS. */
  readonly bytesOut: number;
  /** Smoothed round trip in milliseconds, once one was measured. */
  readonly rttMs: number | undefined;
  /** Datagrams dropped because the bound for sending was reached. */
  readonly datagramsDroppedOut: number;
  /** Datagrams dropped because the receiver was held up. */
  readonly datagramsDroppedIn: number;
  /** Where datagrams go over UDP, while they do. */
  readonly datagramsTo: HostPort | undefined;
  /** Packets of this session that did not open: forged, damaged, replayed or late. */
  readonly packetsUnopened: number;
  /** Per class. */
  readonly messages: Readonly<Record<TrafficClass, Readonly<ClassCounts>>>;
}

/** A session with what can be seen of it. */
export interface WireSession extends Session {
  /** Whether the session takes messages. */
  readonly open: boolean;
  /** Whether no message is on its way or being received. */
  readonly idle: boolean;
  /** When the last message was sent or received, on the monotonic clock. */
  readonly lastMessageMs: number;
  /** End of the certificate the peer showed, milliseconds since the Unix epoch. The session ends with it. */
  readonly peerCertificateNotAfterMs: number;
  /** What has passed so far. */
  stats(): SessionStats;
}

/** Counters at zero. */
export function countMessages(): Readonly<Record<TrafficClass, ClassCounts>> {
  const zero = (): ClassCounts => ({ messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 });
  return { datagram: zero(), request: zero(), bulk: zero() };
}
