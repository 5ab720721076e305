/**
 * The seam between what a session is (framing, classes, windows, pooling, which dial wins) and what carries its bytes.
 * A carrier is one file in this folder or in `quic/`; everything else in the package knows only this one.
 *
 * K1. A carrier hands out a stream only after the peer proved a node identity with a certificate that `proveNode` accepted,
 *     on both sides, and after the protocol name was agreed on. Before that no byte of the peer is read.
 * K2. A `ProvenStream.stream` is an ordered, reliable, two-way stream of bytes as a Node `Duplex` that nobody has read from
 *     or written to: `data` with `Uint8Array` chunks, `pause`/`resume` as back-pressure towards the peer, a `write` callback
 *     when the carrier has passed the bytes on, `end` when the peer ended, `error` at most once, `close` exactly once.
 * K3. What was written before `end()` arrives before the peer's `end`. `destroy()` ends at once and frees everything the
 *     stream stood on, and so does the end of both directions: one stream, one connection.
 * K4. `exportKeyingMaterial` gives the same bytes on both ends, others for every connection (RFC 8446 section 7.5,
 *     empty context).
 * K5. A handshake is bounded by its caller: `complete` may hang until `abandon` is called, and rejects soon after that.
 *     `abandon` may be called at any time, also before `complete` and after it has resolved or rejected.
 * K6. Incoming handshakes are counted by the caller, who abandons what is too many; before `complete` is called, an incoming
 *     handshake costs next to nothing.
 * K7. An acceptor that refuses a certificate tells the dialler, whose `complete` or first frame then says so.
 * K8. A carrier knows nothing of classes, sessions and pools, and of frames only the refusal of K7. The shared stream of a session may come from any
 *     carrier; its bulk stream is always `tls-tcp` at the same address, so a carrier listens at the port number it is given.
 */
import type { Duplex } from "node:stream";
import type { HostPort } from "@glia-os/abi/ports";
import type { CertificateRotation } from "../certificate-rotation.ts";
import type { ProvenNode } from "../node-certificate.ts";

/** Name and version of the protocol inside TLS (RFC 7301), the same for every carrier. */
export const ALPN_PROTOCOL = "glia/1";

/** The carriers there are. */
export type CarrierName = "tls-tcp" | "quic";

/** A stream to a proven peer (K1-K4). */
export interface ProvenStream {
  readonly carrier: CarrierName;
  readonly peer: ProvenNode;
  readonly stream: Duplex;
  /** The address the peer is seen at, as a literal, where the carrier knows it: datagrams are tried there first. */
  readonly remoteHost: string | undefined;
  /** @param lengthBytes 1 to 8,160 */
  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array;
}

/** A connection that is being made (K5, K6). */
export interface Handshake {
  readonly carrier: CarrierName;
  /** The address dialled, or the one the peer came from. */
  readonly remote: HostPort;
  /**
   * The stream, once the peer is proved. Called once.
   * @throws {PeerCertificateError}, {ProtocolViolationError}, {HelloRefused}, or the error of the connection
   */
  complete(): Promise<ProvenStream>;
  /** Free everything. */
  abandon(): void;
}

/** What a carrier is made from. */
export interface CarrierPorts {
  /** The certificate to show; each new connection shows the newest. */
  readonly rotation: CertificateRotation;
  /** Wall clock, milliseconds since the Unix epoch: certificates are judged by it. */
  wallMs(): number;
}

/** One way of carrying bytes, for one transport. */
export interface Carrier {
  readonly name: CarrierName;
  /**
   * Take connections at `bind` from now on; called once. Port 0 is any free one.
   * @throws {AddressInUseError}, {AddressUnavailableError}
   */
  listen(bind: HostPort, incoming: (handshake: Handshake) => void): Promise<HostPort>;
  /** Start to connect. Works whether or not this carrier listens. */
  dial(address: HostPort): Handshake;
  /** Take no more connections and give the address back; may be called again. Open streams are not touched. */
  stop(): Promise<void>;
}

/** Makes the carrier of a transport. */
export type CarrierFactory = (ports: CarrierPorts) => Carrier;
