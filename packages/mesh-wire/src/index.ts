/** The real wire between nodes: TLS 1.3 over TCP behind the `Transport` port. */
export { type CertificateRotated, ROTATE_AT_REMAINING_MS } from "./certificate-rotation.ts";
export {
  AddressInUseError,
  AddressUnavailableError,
  AlreadyListeningError,
  BadFrameError,
  type CertificateFault,
  CertificateRequestError,
  ConnectFailedError,
  ConnectTimeoutError,
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
export { ALPN_PROTOCOL } from "./secure-connection.ts";
export type { ClassCounts, SessionStats } from "./session-stats.ts";
export type { WireSession } from "./tls-session.ts";
export { createTlsTransport, type TlsTransport, type TlsTransportOptions } from "./tls-transport.ts";
