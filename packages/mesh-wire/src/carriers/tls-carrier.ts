/**
 * TLS 1.3 over TCP as a carrier (K1-K8 of carrier.ts).
 *
 * P1. Both sides show a certificate, always. What Node's chain validation thinks of it does not matter; `proveNode` does.
 * P2. No byte of the peer is read before it is proved: there is no reader until then.
 * P3. TLS below 1.3, another protocol name and resumed sessions are refused. Early data is never enabled.
 */
import { createServer, type Server, type Socket } from "node:net";
import { connect, type SecureContext, TLSSocket } from "node:tls";
import type { HostPort } from "@glia-os/abi/ports";
import { REFUSAL, writeCodedReason } from "../control-payload.ts";
import {
  AddressInUseError,
  AddressUnavailableError,
  PeerCertificateError,
  ProtocolViolationError,
} from "../errors.ts";
import { controlFrame, FRAME_KIND } from "../frame.ts";
import { ConnectionLostReason } from "../lost-reason.ts";
import { type ProvenNode, proveNode } from "../node-certificate.ts";
import {
  ALPN_PROTOCOL,
  type Carrier,
  type CarrierPorts,
  type Handshake,
  type ProvenStream,
} from "./carrier.ts";

/** Start TLS towards an address. The handshake is not complete yet. */
function dialTls(address: HostPort, secureContext: SecureContext): TLSSocket {
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
function secured(socket: TLSSocket): Promise<void> {
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
function provePeer(socket: TLSSocket, nowMs: number): ProvenNode {
  if (socket.getProtocol() !== "TLSv1.3")
    throw new ProtocolViolationError(`it speaks ${socket.getProtocol()}`);
  if (socket.alpnProtocol !== ALPN_PROTOCOL)
    throw new ProtocolViolationError(`it does not speak ${ALPN_PROTOCOL}`);
  if (socket.isSessionReused()) throw new ProtocolViolationError("it resumed a TLS session");
  return proveNode(socket.getPeerX509Certificate(), nowMs);
}

/** Tell the dialler why, and wait until it has gone (K7). */
async function refuse(socket: TLSSocket, error: unknown): Promise<never> {
  const code = error instanceof PeerCertificateError ? REFUSAL.certificate : REFUSAL.protocol;
  const reason = error instanceof Error ? error.message : String(error);
  // Reading and discarding lets the refusal arrive: closing with unread bytes would reset the connection.
  socket.resume();
  socket.end(controlFrame(FRAME_KIND.refuse, writeCodedReason(code, reason)));
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  throw error;
}

function provenStream(socket: TLSSocket, peer: ProvenNode): ProvenStream {
  return {
    carrier: "tls-tcp",
    peer,
    stream: socket,
    remoteHost: socket.remoteAddress,
    exportKeyingMaterial: (label, lengthBytes) =>
      new Uint8Array(socket.exportKeyingMaterial(lengthBytes, label, Buffer.alloc(0))),
  };
}

/** A dial: TCP starts at once. */
function outgoing(address: HostPort, { rotation, wallMs }: CarrierPorts): Handshake {
  const socket = dialTls(address, rotation.context);
  socket.on("error", () => {});
  return {
    carrier: "tls-tcp",
    remote: address,
    complete: async () => {
      await secured(socket);
      try {
        return provenStream(socket, provePeer(socket, wallMs()));
      } catch (error) {
        socket.destroy();
        throw error;
      }
    },
    abandon: () => void socket.destroy(),
  };
}

/** An accepted connection: TLS starts with `complete` (K6). */
function accepted(raw: Socket, { rotation, wallMs }: CarrierPorts): Handshake {
  raw.on("error", () => {});
  return {
    carrier: "tls-tcp",
    remote: { host: raw.remoteAddress ?? "", port: raw.remotePort ?? 0 },
    complete: async () => {
      const socket = acceptTls(raw, rotation.context);
      await secured(socket);
      let peer: ProvenNode;
      try {
        peer = provePeer(socket, wallMs());
      } catch (error) {
        return refuse(socket, error);
      }
      return provenStream(socket, peer);
    },
    // The TLS socket over `raw` is gone when `raw` is.
    abandon: () => void raw.destroy(),
  };
}

/** A carrier over TLS. */
export function createTlsCarrier(ports: CarrierPorts): Carrier {
  let server: Server | undefined;
  return {
    name: "tls-tcp",
    async listen(bind, incoming) {
      const own = createServer((raw) => incoming(accepted(raw, ports)));
      const bound = await startListening(own, bind);
      server = own;
      // Errors of a listening server concern single connections (such as too many open files); it goes on listening.
      own.on("error", () => {});
      return bound;
    },
    dial: (address) => outgoing(address, ports),
    stop: () => {
      const stopping = server;
      server = undefined;
      return stopping === undefined
        ? Promise.resolve()
        : new Promise<void>((resolve) => stopping.close(() => resolve()));
    },
  };
}

function startListening(server: Server, bind: HostPort): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      const why = error.code ?? error.message;
      reject(
        why === "EADDRINUSE"
          ? new AddressInUseError(bind, error)
          : new AddressUnavailableError(bind, why, error),
      );
    };
    server.once("error", failed);
    server.listen({ host: bind.host, port: bind.port }, () => {
      server.off("error", failed);
      const address = server.address();
      resolve({
        host: bind.host,
        port: typeof address === "object" && address !== null ? address.port : bind.port,
      });
    });
  });
}
