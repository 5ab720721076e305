/**
 * TLS 1.3 connections whose other end has proved its node identity.
 *
 * P1. Both sides show a certificate, always. What Node's chain validation thinks of it does not matter; `proveNode` does.
 * P2. No byte of the peer is read before it is proved: there is no reader until then.
 * P3. TLS below 1.3, another protocol name and resumed sessions are refused. Early data is never enabled.
 */
import type { Socket } from "node:net";
import { connect, type SecureContext, TLSSocket } from "node:tls";
import type { HostPort } from "@glia-os/abi/ports";
import { ProtocolViolationError } from "./errors.ts";
import { ConnectionLostReason } from "./lost-reason.ts";
import { type ProvenNode, proveNode } from "./node-certificate.ts";

/** Name and version of the protocol inside TLS (RFC 7301). */
export const ALPN_PROTOCOL = "glia/1";

/** Start TLS towards an address. The handshake is not complete yet. */
export function dialTls(address: HostPort, secureContext: SecureContext): TLSSocket {
  const socket = connect({
    host: address.host,
    port: address.port,
    secureContext,
    rejectUnauthorized: false,
    ALPNProtocols: [ALPN_PROTOCOL],
  });
  socket.setNoDelay(true);
  return socket;
}

/** Start TLS on an accepted connection. The handshake is not complete yet. */
export function acceptTls(raw: Socket, secureContext: SecureContext): TLSSocket {
  raw.setNoDelay(true);
  return new TLSSocket(raw, {
    isServer: true,
    secureContext,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: [ALPN_PROTOCOL],
  });
}

/** Resolves when the handshake is complete. @throws the socket's error */
export function handshake(socket: TLSSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lost = new ConnectionLostReason();
  // "secure" is emitted on both sides; "secureConnect" only on the dialling one.
  socket.once("secure", () => resolve());
  socket.on("error", (error) => {
    lost.note(error);
    reject(error);
  });
  socket.once("close", () => reject(new ProtocolViolationError(`no handshake: ${lost.text}`)));
  return promise;
}

/** The node at the other end of a completed handshake. @throws {PeerCertificateError}, {ProtocolViolationError} */
export function provePeer(socket: TLSSocket, nowMs: number): ProvenNode {
  if (socket.getProtocol() !== "TLSv1.3")
    throw new ProtocolViolationError(`it speaks ${socket.getProtocol()}`);
  if (socket.alpnProtocol !== ALPN_PROTOCOL)
    throw new ProtocolViolationError(`it does not speak ${ALPN_PROTOCOL}`);
  if (socket.isSessionReused()) throw new ProtocolViolationError("it resumed a TLS session");
  return proveNode(socket.getPeerX509Certificate(), nowMs);
}
