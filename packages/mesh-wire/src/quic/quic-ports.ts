/**
 * The UDP ports of one transport's QUIC carrier: one that listens, and up to two more (IPv4, IPv6) for dials that it cannot make.
 *
 * QP1. A dial leaves from the listening port when the address it is bound to reaches the target: same kind, and both or neither on
 *      loopback, or bound to every address.
 * QP2. A port is open as long as it listens or something uses it, and no longer.
 * QP3. A new connection shows the newest certificate on every port.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { HostPort } from "@glia-os/abi/ports";
import { createQuicEndpoint, type QuicConnection, type QuicEndpoint, type QuicIdentity } from "@glia-os/quic";
import { ALPN_PROTOCOL, type CarrierPorts } from "../carriers/carrier.ts";
import { AddressInUseError, AddressUnavailableError } from "../errors.ts";

/** What a port does with peers. */
export interface PortEvents {
  /** Decides about a peer: true, or why not. `arrivedAt`: the port it dialled; undefined for one that we dial. */
  approve(certificate: Uint8Array, arrivedAt: QuicPort | undefined): true | string | Promise<true | string>;
  /** A connection that another node made, approved on both sides. */
  accepted(connection: QuicConnection): void;
}

/** One UDP port, open while it listens or has users (QP2). */
export class QuicPort {
  readonly endpoint: QuicEndpoint;
  /** Resolves when the address is free again. */
  readonly closed: Promise<void>;
  readonly #closing: () => void;
  readonly #settleClosed: () => void;
  #listens: boolean;
  #isClosing = false;
  #users = 0;

  /** `closing`: told once, when the port is not to be used any more. */
  constructor(endpoint: QuicEndpoint, listens: boolean, closing: () => void) {
    this.endpoint = endpoint;
    this.#listens = listens;
    this.#closing = closing;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#settleClosed = resolve;
  }

  /** Whether connections of others are taken. */
  get listens(): boolean {
    return this.#listens;
  }

  /** Keep the port open; gives the function that ends this, which may be called again. */
  use(): () => void {
    let used = true;
    this.#users++;
    return () => {
      if (!used) return;
      used = false;
      this.#users--;
      this.#closeUnused();
    };
  }

  /** Take no more connections. */
  stopListening(): void {
    this.#listens = false;
    this.#closeUnused();
  }

  #closeUnused(): void {
    if (this.#listens || this.#users > 0 || this.#isClosing) return;
    this.#isClosing = true;
    this.#closing();
    void this.endpoint.close().then(this.#settleClosed);
  }
}

function identityOf({ rotation }: CarrierPorts): QuicIdentity {
  const { cert, key } = rotation.certificate;
  return {
    certificate: new X509Certificate(cert).raw,
    key: createPrivateKey(key).export({ type: "pkcs8", format: "der" }),
  };
}

function isLoopback(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}

function reaches(from: string, to: string): boolean {
  if (isIP(from) !== isIP(to)) return false;
  return from === "0.0.0.0" || from === "::" || isLoopback(from) === isLoopback(to);
}

/** A literal address for a host; QUIC takes no names. @throws the error of the look-up */
export async function literalAddress(host: string): Promise<string> {
  return isIP(host) === 0 ? (await lookup(host)).address : host;
}

/** The ports of one transport. */
export class QuicPorts {
  readonly #ports: CarrierPorts;
  readonly #events: PortEvents;
  readonly #dialling = new Map<number, QuicPort>();
  readonly #open = new Set<QuicPort>();
  #listening: QuicPort | undefined;
  #unwatch: (() => void) | undefined;

  constructor(ports: CarrierPorts, events: PortEvents) {
    this.#ports = ports;
    this.#events = events;
  }

  /** @throws {AddressInUseError}, {AddressUnavailableError} */
  async listen(bind: HostPort): Promise<HostPort> {
    const host = await literalAddress(bind.host);
    try {
      this.#listening = this.#openPort({ host, port: bind.port }, true);
    } catch (error) {
      const why = (error as { details?: { why?: string } }).details?.why ?? String(error);
      if (why === "EADDRINUSE") throw new AddressInUseError(bind, error);
      throw new AddressUnavailableError(bind, why, error);
    }
    return { host: bind.host, port: this.#listening.endpoint.address.port };
  }

  /** The port for a dial to a literal address (QP1). */
  portTo(host: string): QuicPort {
    const own = this.#listening;
    if (own?.listens === true && reaches(own.endpoint.address.host, host)) return own;
    const kind = isIP(host);
    const known = this.#dialling.get(kind);
    if (known !== undefined) return known;
    const port = this.#openPort({ host: kind === 6 ? "::" : "0.0.0.0", port: 0 }, false);
    this.#dialling.set(kind, port);
    return port;
  }

  /** Stop listening; resolves when the address is free, which it is when the last connection of the port has ended. */
  async stop(): Promise<void> {
    this.#listening?.stopListening();
    await this.#listening?.closed;
  }

  #openPort(bind: HostPort, listens: boolean): QuicPort {
    const endpoint = createQuicEndpoint({
      ...identityOf(this.#ports),
      ...bind,
      alpn: [ALPN_PROTOCOL],
      approvePeer: (certificate, { isServer }) => {
        if (!isServer && !port.listens) return "this node takes no connections here";
        return this.#events.approve(certificate, isServer ? undefined : port);
      },
      onConnection: (connection) => this.#events.accepted(connection),
    });
    const port: QuicPort = new QuicPort(endpoint, listens, () => this.#forget(port));
    this.#open.add(port);
    this.#unwatch ??= this.#ports.rotation.watch(() => this.#showNewest());
    return port;
  }

  /** (QP3) */
  #showNewest(): void {
    const identity = identityOf(this.#ports);
    for (const { endpoint } of this.#open) endpoint.setIdentity(identity);
  }

  #forget(port: QuicPort): void {
    this.#open.delete(port);
    for (const [kind, own] of this.#dialling) if (own === port) this.#dialling.delete(kind);
    if (this.#open.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = undefined;
  }
}
