/** The real wire between nodes behind the `Transport` port. */
export {
  ALPN_PROTOCOL,
  type Carrier,
  type CarrierFactory,
  type CarrierName,
  type CarrierPorts,
  type Handshake,
  type ProvenStream,
} from "./carriers/carrier.ts";
export type { TransportMode } from "./carriers/carrier-choice.ts";
export { type CertificateRotated, ROTATE_AT_REMAINING_MS } from "./certificate-rotation.ts";
export type { DatagramCounts } from "./datagrams/datagram-socket.ts";
export { createMdnsDiscovery, type MdnsDiscoveryOptions } from "./discovery/mdns-discovery.ts";
export { RECORD_TTL_S } from "./discovery/service-records.ts";
export {
  AddressInUseError,
  AddressUnavailableError,
  AlreadyListeningError,
  BadFrameError,
  CarrierUnavailableError,
  type CertificateFault,
  CertificateRequestError,
  ConnectFailedError,
  ConnectTimeoutError,
  DiscoveryUnavailableError,
  IdentityCorruptError,
  IdentityExposedError,
  IdentityFileError,
  MessageTooLargeError,
  OptionOutOfRangeError,
  PeerCertificateError,
  PeerIdentityError,
  ProtocolViolationError,
  RefusedError,
  SendQueueFullError,
  SessionClosedError,
  SessionLimitError,
  TransportClosedError,
} from "./errors.ts";
export {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES,
  FrameDecoder,
  type FrameHeader,
  type FrameSink,
} from "./frame.ts";
export { DEFAULT_LIMITS, OUTBOX_BYTES, REQUEST_WINDOW_BYTES, type WireLimits } from "./limits.ts";
export {
  CERTIFICATE_VALIDITY_MS,
  type CertificateTerm,
  CLOCK_SKEW_MS,
  issueNodeCertificate,
  type NodeCertificate,
  type ProvenNode,
  proveNode,
} from "./node-certificate.ts";
export { createNodeIdentity, loadOrCreateNodeIdentity, type NodeIdentity } from "./node-identity.ts";
export { quicCarrier } from "./quic/quic-carrier.ts";
export type { ClassCounts, SessionStats, WireSession } from "./session-stats.ts";
export { METRICS_INTERVAL_MS } from "./wire-metrics.ts";
export {
  createWireTransport,
  type PeerCertificateExpired,
  type TransportStats,
  type WireTransport,
  type WireTransportOptions,
} from "./wire-transport.ts";
