/** QUIC v1 with TLS 1.3 for Node: client and server on one UDP port, on the OpenSSL that Node ships. */

export { CLOSE_CODES, printClose, type QuicClose } from "./close.ts";
export type { QuicConnection } from "./connection.ts";
export { type ConnectOptions, createQuicEndpoint, type QuicEndpoint } from "./endpoint.ts";
export {
  BadIdentityError,
  BadOptionError,
  BindFailedError,
  ConnectFailedError,
  ConnectionClosedError,
  ConnectTimeoutError,
  EndpointClosedError,
  LoadFailedError,
  NoPrebuildError,
  PeerRefusedError,
  QuicError,
  type QuicErrorCode,
  StreamResetError,
  StreamStoppedError,
  TooManyError,
  UnsupportedOpensslError,
} from "./errors.ts";
export { type LoadOptions, loadQuic, OPENSSL_MIN, whyNoQuic } from "./load.ts";
export type { ConnectionStats, EndpointStats, NativeCallback, NativeEndpoint, NativeQuic } from "./native.ts";
export type { QuicEndpointOptions, QuicIdentity } from "./options.ts";
export type { QuicStream } from "./stream.ts";
