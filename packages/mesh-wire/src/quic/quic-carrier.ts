/**
 * QUIC as a carrier (K1-K8 of carriers/carrier.ts), on `@glia-os/quic`.
 *
 * QC1. Both sides prove their node before either sees a stream: `proveNode` is what approves the peer, on both sides.
 * QC2. One connection carries one stream: the shared stream of a session.
 * QC3. A handshake that arrives has been made by the port, to which it counts as pending until `complete` judges it; the port refuses
 *      more than 256 of those.
 */
import { X509Certificate } from "node:crypto";
import type { HostPort } from "@glia-os/abi/ports";
import { CLOSE_CODES, type QuicConnection, QuicError, type QuicStream, whyNoQuic } from "@glia-os/quic";
import type { Carrier, CarrierFactory, CarrierPorts, Handshake, ProvenStream } from "../carriers/carrier.ts";
import { REFUSAL } from "../control-payload.ts";
import { ProtocolViolationError } from "../errors.ts";
import { HelloRefused } from "../hello.ts";
import { type ProvenNode, proveNode } from "../node-certificate.ts";
import { openStream, takeStream } from "./opening.ts";
import { literalAddress, type QuicPort, QuicPorts } from "./quic-ports.ts";

/**
 * Longest a dial takes, in milliseconds, below the 10 s of a whole connect: nothing on UDP says that nobody listens, and a session that may
 * use QUIC alone is told so by this.
 */
const DIAL_MS = 5000;
/** The address of a peer that dialled: OpenSSL does not tell it. */
const UNKNOWN_ADDRESS: HostPort = { host: "", port: 0 };

/** The QUIC carrier, or why this process has none: the transport then uses TLS. */
export function quicCarrier(): { readonly carrier: CarrierFactory } | { readonly why: QuicError } {
  const why = whyNoQuic();
  return why === undefined ? { carrier: (ports) => new QuicCarrier(ports) } : { why };
}

class QuicCarrier implements Carrier {
  readonly name = "quic";
  readonly #wallMs: () => number;
  readonly #ports: QuicPorts;
  /** Peers that were proved, and those that arrived, by the certificate object their connection will show. */
  readonly #proven = new WeakMap<Uint8Array, ProvenNode>();
  readonly #arriving = new WeakMap<Uint8Array, ArrivingHandshake>();
  #incoming: (handshake: Handshake) => void = () => {};

  constructor(ports: CarrierPorts) {
    this.#wallMs = () => ports.wallMs();
    this.#ports = new QuicPorts(ports, {
      approve: (certificate, arrivedAt) =>
        arrivedAt === undefined ? this.#prove(certificate) : this.#arrive(certificate, arrivedAt),
      accepted: (connection) => {
        const handshake = this.#arriving.get(connection.peerCertificate);
        if (handshake === undefined) void connection.close();
        else handshake.connected(connection);
      },
    });
  }

  listen(bind: HostPort, incoming: (handshake: Handshake) => void): Promise<HostPort> {
    this.#incoming = incoming;
    return this.#ports.listen(bind);
  }

  stop(): Promise<void> {
    return this.#ports.stop();
  }

  dial(address: HostPort): Handshake {
    return new DialledHandshake(address, this.#ports, (certificate) => this.#proven.get(certificate));
  }

  /** @throws {PeerCertificateError} */
  #prove(certificate: Uint8Array): true {
    this.#proven.set(certificate, proveNode(new X509Certificate(certificate), this.#wallMs()));
    return true;
  }

  #arrive(certificate: Uint8Array, port: QuicPort): Promise<true | string> {
    const prove = (): ProvenNode => proveNode(new X509Certificate(certificate), this.#wallMs());
    const handshake = new ArrivingHandshake(prove, port.use());
    this.#arriving.set(certificate, handshake);
    this.#incoming(handshake);
    return handshake.verdict;
  }
}

function provenStream(
  connection: QuicConnection,
  peer: ProvenNode,
  stream: QuicStream,
  remoteHost?: string,
): ProvenStream {
  return {
    carrier: "quic",
    peer,
    stream,
    remoteHost,
    exportKeyingMaterial: (label, lengthBytes) =>
      new Uint8Array(connection.exportKeyingMaterial(lengthBytes, label)),
  };
}

/** A dial (K5). */
class DialledHandshake implements Handshake {
  readonly carrier = "quic";
  readonly remote: HostPort;
  readonly #ports: QuicPorts;
  readonly #provenAs: (certificate: Uint8Array) => ProvenNode | undefined;
  readonly #abandoned = Promise.withResolvers<never>();
  #letGo: () => void = () => undefined;
  #connection: QuicConnection | undefined;
  #isAbandoned = false;

  constructor(
    remote: HostPort,
    ports: QuicPorts,
    provenAs: (certificate: Uint8Array) => ProvenNode | undefined,
  ) {
    this.remote = remote;
    this.#ports = ports;
    this.#provenAs = provenAs;
    this.#abandoned.promise.catch(() => {});
  }

  complete(): Promise<ProvenStream> {
    return Promise.race([this.#connect(), this.#abandoned.promise]);
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#abandoned.reject(new ProtocolViolationError("the dial was abandoned"));
    // A dial that nobody answers would keep its port open until its time is over.
    if (this.#connection === undefined) this.#letGo();
    else void this.#connection.close();
  }

  async #connect(): Promise<ProvenStream> {
    const host = await literalAddress(this.remote.host);
    if (this.#isAbandoned) throw new ProtocolViolationError("the dial was abandoned");
    const port = this.#ports.portTo(host);
    const letGo = port.use();
    this.#letGo = letGo;
    try {
      const connection = await port.endpoint.connect({ host, port: this.remote.port, timeoutMs: DIAL_MS });
      this.#connection = connection;
      void connection.closed.then(letGo);
      if (this.#isAbandoned) await connection.close();
      const peer = this.#provenAs(connection.peerCertificate);
      if (peer === undefined) throw new ProtocolViolationError("its certificate was not judged");
      return provenStream(connection, peer, await openStream(connection, letGo), host);
    } catch (error) {
      void this.#connection?.close();
      letGo();
      throw told(error);
    }
  }
}

/** What the peer said of us, or the fault we found in it, in the words of the carrier (K7). */
function told(error: unknown): unknown {
  if (!(error instanceof QuicError)) return error;
  if (error.code === "quic.peer-refused" && error.cause !== undefined) return error.cause;
  const { code, reason, by } = error.details as { code?: number; reason?: string; by?: string };
  const isRefusal = error.code === "quic.connect-failed" && code === CLOSE_CODES.notApproved && by === "peer";
  return isRefusal ? new HelloRefused({ code: REFUSAL.certificate, reason: reason ?? "" }) : error;
}

/** A connection that arrives: judged by `complete`, refused by `abandon` (K5-K7). */
class ArrivingHandshake implements Handshake {
  readonly carrier = "quic";
  readonly remote: HostPort = UNKNOWN_ADDRESS;
  readonly #prove: () => ProvenNode;
  readonly #letGo: () => void;
  readonly #verdict = Promise.withResolvers<true | string>();
  readonly #connected = Promise.withResolvers<QuicConnection>();
  #connection: QuicConnection | undefined;
  #isAbandoned = false;

  constructor(prove: () => ProvenNode, letGo: () => void) {
    this.#prove = prove;
    this.#letGo = letGo;
    this.#connected.promise.catch(() => {});
  }

  /** Whether the peer is approved: true, or why not. */
  get verdict(): Promise<true | string> {
    return this.#verdict.promise;
  }

  /** Both sides approved. */
  connected(connection: QuicConnection): void {
    this.#connection = connection;
    void connection.closed.then(this.#letGo);
    this.#connected.resolve(connection);
    if (this.#isAbandoned) void connection.close();
  }

  async complete(): Promise<ProvenStream> {
    const peer = this.#judge();
    const connection = await this.#connected.promise;
    return provenStream(connection, peer, await takeStream(connection, this.#letGo));
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.#verdict.resolve("the node takes no more connections");
    this.#connected.reject(new ProtocolViolationError("the handshake was abandoned"));
    if (this.#connection === undefined) this.#letGo();
    else void this.#connection.close();
  }

  #judge(): ProvenNode {
    try {
      const peer = this.#prove();
      this.#verdict.resolve(true);
      return peer;
    } catch (error) {
      this.#verdict.resolve(error instanceof Error ? error.message : String(error));
      this.#letGo();
      throw error;
    }
  }
}
