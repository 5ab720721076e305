/**
 * Outgoing connections.
 *
 * D1. Dials to the same address share one attempt; sessions to the same peer are never dialled twice at a time.
 * D2. When both nodes dial each other, the one with the smaller node id keeps its connection; the other is told and waits for
 *     it. Nothing was sent on the refused connection, so nothing is lost.
 * D3. Everything up to the welcome happens within one connect timeout.
 */
import type { Duplex } from "node:stream";
import { isGliaError } from "@glia-os/abi/errors";
import type { NodeId } from "@glia-os/abi/ids";
import type { HostPort } from "@glia-os/abi/ports";
import type { Handshake, ProvenStream } from "./carriers/carrier.ts";
import { noBinding, type Ordinal, PURPOSE, REFUSAL, refusalName } from "./control-payload.ts";
import { Deadline } from "./deadline.ts";
import {
  ConnectFailedError,
  ConnectTimeoutError,
  PeerCertificateError,
  PeerIdentityError,
  printAddress,
  RefusedError,
  SessionLimitError,
  TransportClosedError,
} from "./errors.ts";
import { FramedConnection } from "./framed-connection.ts";
import type { FramedSession } from "./framed-session.ts";
import { bulkBinding, HelloRefused, sendHello, unread } from "./hello.ts";
import type { Wire } from "./wire.ts";

/** How long a refused dialler waits for the peer's own connection before it dials again, in milliseconds. */
const DUPLICATE_WAIT_MS = 1000;

/** Dials for one transport. */
export class Dialer {
  readonly #wire: Wire;
  readonly #dials = new Map<string, Promise<FramedSession>>();
  readonly #greetings = new Map<NodeId, Promise<void>>();
  readonly #handshakes = new Set<Handshake>();
  readonly #streams = new Set<Duplex>();
  #closed = false;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  /** Whether a hello to this peer waits for its answer. */
  greeting(peer: NodeId): boolean {
    return this.#greetings.has(peer);
  }

  /** A session to the node at `address` (D1). */
  connect(address: HostPort, expect: NodeId | undefined): Promise<FramedSession> {
    const { pool } = this.#wire;
    const existing = expect === undefined ? pool.at(address) : pool.get(expect);
    if (existing !== undefined) return Promise.resolve(existing);
    const key = `${printAddress(address)} ${expect ?? "any"}`;
    const running = this.#dials.get(key);
    if (running !== undefined) return running;
    const dial = this.#dial(address, expect).finally(() => this.#dials.delete(key));
    this.#dials.set(key, dial);
    return dial;
  }

  /** Open the bulk connection of a session that this side dialled. */
  async dialBulk(session: FramedSession): Promise<void> {
    const address = session.remote;
    const deadline = this.#deadline(address);
    try {
      const dial = () => this.#wire.carriers.dialBulk(address);
      const proven = await this.#prove(dial, session.peer, deadline);
      const connection = new FramedConnection(proven, this.#wire.timers, unread());
      const hello = {
        purpose: PURPOSE.bulk,
        ordinal: session.id,
        binding: bulkBinding(session, connection, session.id),
      };
      const welcomed = () => session.attachBulk(connection);
      await deadline.step(sendHello(connection, hello, welcomed), () => connection.destroy());
    } catch (error) {
      throw this.#explain(address, error);
    } finally {
      deadline.cancel();
    }
  }

  /** Stop every attempt. */
  close(): void {
    this.#closed = true;
    for (const handshake of this.#handshakes) handshake.abandon();
    for (const stream of this.#streams) stream.destroy();
  }

  #deadline(address: HostPort): Deadline {
    const timeoutMs = this.#wire.limits.connectTimeoutMs;
    return new Deadline(this.#wire.timers, timeoutMs, () => new ConnectTimeoutError(address, timeoutMs));
  }

  async #dial(address: HostPort, expect: NodeId | undefined): Promise<FramedSession> {
    const deadline = this.#deadline(address);
    try {
      for (;;) {
        const session = await this.#attempt(address, expect, deadline);
        if (session !== undefined) return session;
      }
    } catch (error) {
      throw this.#explain(address, error);
    } finally {
      deadline.cancel();
    }
  }

  /** One try; `undefined` when the peer's own dial was to win but did not arrive (D2). */
  async #attempt(
    address: HostPort,
    expect: NodeId | undefined,
    deadline: Deadline,
  ): Promise<FramedSession | undefined> {
    const dial = () => this.#wire.carriers.dialShared(address);
    const proven = await this.#prove(dial, expect, deadline);
    const { peer, stream } = proven;
    for (
      let other = this.#greetings.get(peer.nodeId);
      other !== undefined;
      other = this.#greetings.get(peer.nodeId)
    ) {
      await deadline.step(other, () => stream.destroy());
    }
    const existing = this.#wire.pool.get(peer.nodeId);
    if (existing !== undefined || !this.#wire.pool.makeRoom()) {
      stream.destroy();
      if (existing === undefined) throw new SessionLimitError(this.#wire.limits.sessions);
      return existing;
    }
    const greeting = Promise.withResolvers<void>();
    this.#greetings.set(peer.nodeId, greeting.promise);
    const settled = () => {
      this.#greetings.delete(peer.nodeId);
      greeting.resolve();
    };
    try {
      return await this.#greet(proven, address, deadline, settled);
    } catch (error) {
      if (!(error instanceof HelloRefused) || error.refusal.code !== REFUSAL.duplicate) throw error;
    } finally {
      settled();
    }
    return this.#awaitPeersDial(peer.nodeId, deadline);
  }

  /** Connect and prove the peer. */
  async #prove(dial: () => Handshake, expect: NodeId | undefined, deadline: Deadline): Promise<ProvenStream> {
    if (this.#closed) throw new TransportClosedError();
    const handshake = dial();
    const { remote } = handshake;
    this.#handshakes.add(handshake);
    const proven = await deadline
      .step(handshake.complete(), () => handshake.abandon())
      .finally(() => this.#handshakes.delete(handshake));
    this.#streams.add(proven.stream);
    proven.stream.once("close", () => this.#streams.delete(proven.stream));
    const { nodeId } = proven.peer;
    if (nodeId !== this.#wire.self && (expect === undefined || nodeId === expect)) return proven;
    proven.stream.destroy();
    throw new PeerIdentityError(remote, nodeId === this.#wire.self ? undefined : expect, nodeId);
  }

  /** `settled` is called together with the session's creation, before any later frame is read. */
  async #greet(
    proven: ProvenStream,
    address: HostPort,
    deadline: Deadline,
    settled: () => void,
  ): Promise<FramedSession> {
    const { peer } = proven;
    const connection = new FramedConnection(proven, this.#wire.timers, unread());
    const id = this.#wire.nextOrdinal();
    let session: FramedSession | undefined;
    const welcomed = (acceptor: Ordinal) => {
      session = this.#wire.openSession({
        id,
        peerOrdinal: acceptor,
        peer: peer.nodeId,
        peerKey: peer.publicKey,
        peerNotAfterMs: peer.notAfterMs,
        initiator: true,
        remote: address,
        shared: connection,
        dialBulk: (own) => this.dialBulk(own),
      });
      this.#streams.delete(proven.stream);
      this.#wire.pool.add(session, false);
      settled();
    };
    const hello = { purpose: PURPOSE.session, ordinal: id, binding: noBinding() };
    await deadline.step(sendHello(connection, hello, welcomed), () => connection.destroy());
    return session!;
  }

  #awaitPeersDial(peer: NodeId, deadline: Deadline): Promise<FramedSession | undefined> {
    const existing = this.#wire.pool.get(peer);
    if (existing !== undefined) return Promise.resolve(existing);
    const { promise, resolve } = Promise.withResolvers<FramedSession | undefined>();
    const stop = this.#wire.pool.whenAdded(peer, resolve);
    const timer = this.#wire.timers.schedule(DUPLICATE_WAIT_MS, () => resolve(undefined));
    const release = () => {
      stop();
      timer.cancel();
    };
    return deadline.step(promise, release).finally(release);
  }

  /** The error a caller of `connect` gets. */
  #explain(address: HostPort, error: unknown): unknown {
    if (this.#closed) return new TransportClosedError();
    if (error instanceof HelloRefused) {
      return new RefusedError(address, refusalName(error.refusal.code), error.refusal.reason);
    }
    const own = [ConnectTimeoutError, PeerCertificateError, PeerIdentityError, SessionLimitError];
    if (own.some((kind) => error instanceof kind)) return error;
    const code = (error as NodeJS.ErrnoException).code;
    const why = isGliaError(error)
      ? error.message
      : (code ?? (error instanceof Error ? error.message : String(error)));
    return new ConnectFailedError(address, why, error);
  }
}
