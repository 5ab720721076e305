/**
 * Incoming connections: prove the peer, read its hello, and make or complete a session.
 *
 * AC1. A connection that has not completed a session within the connect timeout is cut off, whatever it sends meanwhile.
 * AC2. A bounded number of connections may be in that state; more are closed at once.
 * AC3. A hello that was sent before the peer took the session we share is a duplicate (both dialled); a later one means that
 *      the peer no longer has that session, and the new one takes its place.
 */
import type { HostPort, Logger } from "@glia-os/abi/ports";
import type { Handshake, ProvenStream } from "./carriers/carrier.ts";
import { type Hello, PURPOSE, REFUSAL, writeCodedReason, writeOrdinal } from "./control-payload.ts";
import { Deadline } from "./deadline.ts";
import { ConnectTimeoutError } from "./errors.ts";
import { FRAME_KIND } from "./frame.ts";
import { FramedConnection } from "./framed-connection.ts";
import type { FramedSession } from "./framed-session.ts";
import { awaitHello, bulkBinding, sameBinding, unread } from "./hello.ts";
import { PENDING_HANDSHAKES, SUPERSEDED_MS } from "./limits.ts";
import type { ProvenNode } from "./node-certificate.ts";
import type { Wire } from "./wire.ts";

/** Takes connections for one transport. */
export class Acceptor {
  readonly #wire: Wire;
  readonly #logger: Logger | undefined;
  readonly #pending = new Set<Handshake>();
  #receive: ((session: FramedSession) => void) | undefined;

  constructor(wire: Wire, logger: Logger | undefined) {
    this.#wire = wire;
    this.#logger = logger;
  }

  /** Connections that have not completed a session. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Name the receiver of sessions. */
  onSession(receive: (session: FramedSession) => void): void {
    this.#receive = receive;
  }

  /** Take a connection. Never rejects: a refusal is logged. */
  async take(handshake: Handshake): Promise<void> {
    if (this.#pending.size >= PENDING_HANDSHAKES) {
      handshake.abandon();
      return;
    }
    const { remote } = handshake;
    const { timers, limits } = this.#wire;
    const timeoutMs = limits.connectTimeoutMs;
    const deadline = new Deadline(timers, timeoutMs, () => new ConnectTimeoutError(remote, timeoutMs));
    this.#pending.add(handshake);
    try {
      await this.#admit(handshake, deadline);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#logger?.log("info", "incoming connection refused", { host: remote.host, port: remote.port, why });
    } finally {
      deadline.cancel();
      this.#pending.delete(handshake);
    }
  }

  /** Cut off what is pending. */
  close(): void {
    for (const handshake of this.#pending) handshake.abandon();
  }

  async #admit(handshake: Handshake, deadline: Deadline): Promise<void> {
    const proven = await deadline.step(handshake.complete(), () => handshake.abandon());
    const connection = new FramedConnection(proven, this.#wire.timers, unread());
    const greeted = (hello: Hello) => this.#answer(connection, proven, handshake.remote, hello);
    await deadline.step(awaitHello(connection, greeted), () => connection.destroy());
  }

  #answer(connection: FramedConnection, { peer }: ProvenStream, remote: HostPort, hello: Hello): void {
    const bulk = hello.purpose === PURPOSE.bulk;
    if (bulk ? connection.carrier !== "tls-tcp" : !this.#wire.carriers.takesSessions(connection.carrier)) {
      const what = bulk ? "bulk" : "sessions";
      this.#refuse(connection, REFUSAL.protocol, `this node takes no ${what} over ${connection.carrier}`);
    } else if (bulk) this.#completeSession(connection, peer, hello);
    else this.#openSession(connection, peer, remote, hello);
  }

  #refuse(connection: FramedConnection, code: number, reason: string): void {
    connection.handTo(unread(), []);
    connection.sendControl(FRAME_KIND.refuse, writeCodedReason(code, reason));
    connection.finish();
  }

  #completeSession(connection: FramedConnection, peer: ProvenNode, hello: Hello): void {
    const session = this.#wire.pool.find(peer.nodeId, hello.ordinal);
    if (session === undefined) {
      this.#refuse(connection, REFUSAL.unknownSession, "there is no such session");
      return;
    }
    if (!sameBinding(bulkBinding(session, connection, session.id), hello.binding)) {
      this.#refuse(connection, REFUSAL.protocol, "the binding is wrong");
      return;
    }
    connection.sendControl(FRAME_KIND.welcome, writeOrdinal(this.#wire.nextOrdinal()));
    session.attachBulk(connection);
  }

  #openSession(connection: FramedConnection, peer: ProvenNode, remote: HostPort, hello: Hello): void {
    const refusal = this.#reasonToRefuse(peer, hello);
    if (refusal !== undefined) {
      this.#refuse(connection, refusal[0], refusal[1]);
      return;
    }
    connection.sendControl(FRAME_KIND.welcome, writeOrdinal(this.#wire.nextOrdinal()));
    const session = this.#wire.openSession({
      id: hello.ordinal,
      peerOrdinal: hello.ordinal,
      peer: peer.nodeId,
      peerKey: peer.publicKey,
      peerNotAfterMs: peer.notAfterMs,
      initiator: false,
      remote,
      shared: connection,
    });
    this.#supersede(this.#wire.pool.add(session, true));
    try {
      this.#receive?.(session);
    } catch (error) {
      session.fail(`the receiver of sessions failed: ${error instanceof Error ? error.name : typeof error}`);
    }
  }

  #reasonToRefuse(peer: ProvenNode, hello: Hello): readonly [number, string] | undefined {
    const { self, pool } = this.#wire;
    if (peer.nodeId === self) return [REFUSAL.protocol, "that is this node itself"];
    if (this.#receive === undefined) return [REFUSAL.protocol, "this node takes no sessions"];
    if (this.#wire.greeting(peer.nodeId) && self < peer.nodeId)
      return [REFUSAL.duplicate, "both nodes dialled"];
    const known = pool.get(peer.nodeId)?.peerOrdinal;
    if (known?.instance === hello.ordinal.instance && hello.ordinal.count < known.count) {
      return [REFUSAL.duplicate, "both nodes dialled"];
    }
    return pool.makeRoom() ? undefined : [REFUSAL.sessionLimit, "this node has no room for another session"];
  }

  /** An older session gets the time of an orderly close, then it ends (AC3). */
  #supersede(older: FramedSession | undefined): void {
    if (older === undefined) return;
    const timer = this.#wire.timers.schedule(SUPERSEDED_MS, () =>
      older.fail("the peer opened a newer session"),
    );
    void older.closed.then(() => timer.cancel());
  }
}
