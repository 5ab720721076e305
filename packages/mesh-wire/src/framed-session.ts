/**
 * A session: one shared connection for datagrams, requests and control, and a second one for bulk on demand.
 * It fulfils T1-T5 of the `Transport` port.
 *
 * S1. The session is made from connections whose peers were proved before (carriers/carrier.ts, hello.ts).
 * S2. Datagrams and requests share a connection that is always read: requests are held back by credit, datagrams by
 *     dropping the oldest, so neither stops the other and neither stops keepalive.
 * S3. Bulk has its own connection and is held back by not reading it.
 * S4. An orderly close writes everything accepted, then a close frame on bulk, then one on the shared connection, and is
 *     over when both sides have done so and the receivers are done, or after one second.
 * S5. Datagrams travel in sealed packets over UDP while a path works (datagrams/datagram-lane.ts); they are not proof that
 *     the peer lives, and end with the shared connection.
 * S6. A session ends in order when the certificate its peer showed has expired, give or take the skew that certificates are
 *     accepted with; looked at every keepalive interval.
 * S7. Whatever breaks a rule ends this session with a reason, and no other.
 */
import { isIP } from "node:net";
import type { NodeId } from "@glia-os/abi/ids";
import {
  type Clock,
  type HostPort,
  MESSAGE_LIMIT_BYTES,
  type Random,
  type SessionClosed,
  type TimerHandle,
  type Timers,
  type TrafficClass,
} from "@glia-os/abi/ports";
import { Arrivals } from "./arrivals.ts";
import type { CarrierName } from "./carriers/carrier.ts";
import { CLOSE_CODE, type Ordinal, readCodedReason, writeCodedReason } from "./control-payload.ts";
import { DatagramLane } from "./datagrams/datagram-lane.ts";
import type { DatagramSocket } from "./datagrams/datagram-socket.ts";
import {
  MessageTooLargeError,
  OptionOutOfRangeError,
  ProtocolViolationError,
  SessionClosedError,
} from "./errors.ts";
import { CLASS_OF_KIND, FRAME_KIND } from "./frame.ts";
import type { ConnectionHandler, FramedConnection } from "./framed-connection.ts";
import { Keepalive } from "./keepalive.ts";
import {
  BULK_WRITES,
  CLOSE_TIMEOUT_MS,
  FRAME_COST_BYTES,
  OUTBOX_BYTES,
  PROBES_PER_KEEPALIVE,
  REQUEST_WINDOW_BYTES,
  type WireLimits,
} from "./limits.ts";
import type { MessageReader } from "./message-reader.ts";
import { CLOCK_SKEW_MS } from "./node-certificate.ts";
import { Outbox } from "./outbox.ts";
import { type ClassCounts, countMessages, type SessionStats, type WireSession } from "./session-stats.ts";

/** Longest keying material: RFC 5869 section 2.3 allows 255 blocks of SHA-256. */
const KEYING_MATERIAL_BYTES = 255 * 32;

/** What a session is made from. */
export interface SessionParts {
  /** The ordinal of the hello that opened it. */
  readonly id: Ordinal;
  /** The peer's ordinal when it opened or accepted the session. */
  readonly peerOrdinal: Ordinal;
  readonly peer: NodeId;
  readonly peerKey: Uint8Array;
  /** End of the peer's certificate, milliseconds since the Unix epoch. */
  readonly peerNotAfterMs: number;
  readonly initiator: boolean;
  readonly remote: HostPort;
  readonly shared: FramedConnection;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly limits: WireLimits;
  /** For datagrams over UDP; without it they stay on the shared connection. */
  readonly datagrams: { readonly socket: DatagramSocket; readonly random: Random } | undefined;
  /** Dial the bulk connection; only the initiator can. */
  readonly dialBulk?: (session: FramedSession) => Promise<void>;
  /** The session ends because the peer's certificate has expired (S6). */
  readonly expired: (session: FramedSession) => void;
  /** The session takes no more messages and must not be handed out again. */
  readonly leaving: (session: FramedSession) => void;
  /** The session is over. */
  readonly over: (session: FramedSession) => void;
}

/** The session over framed connections. */
export class FramedSession implements WireSession {
  readonly peer: NodeId;
  readonly peerKey: Uint8Array;
  readonly initiator: boolean;
  readonly remote: HostPort;
  readonly carrier: CarrierName;
  readonly peerCertificateNotAfterMs: number;
  readonly closed: Promise<SessionClosed>;
  /** The ordinal of the hello that opened it. */
  readonly id: Ordinal;
  /** The peer's ordinal when it opened or accepted the session. */
  readonly peerOrdinal: Ordinal;

  readonly #parts: SessionParts;
  readonly #shared: FramedConnection;
  readonly #arrivals: Arrivals;
  readonly #outboxes: Readonly<Record<TrafficClass, Outbox>>;
  readonly #datagrams: DatagramLane | undefined;
  readonly #keepalive: Keepalive;
  readonly #counts: Readonly<Record<TrafficClass, ClassCounts>> = countMessages();
  readonly #resolveClosed: (closed: SessionClosed) => void;
  #bulk: "none" | "opening" | FramedConnection = "none";
  #lastMessageMs: number;
  #ending: SessionClosed | undefined;
  #ended = false;
  #deadline: TimerHandle | undefined;
  #sent = { shared: false, bulk: false };
  #received = { shared: false, bulk: false };

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#shared = parts.shared;
    this.carrier = parts.shared.carrier;
    this.id = parts.id;
    this.peerOrdinal = parts.peerOrdinal;
    this.peer = parts.peer;
    this.peerKey = parts.peerKey;
    this.peerCertificateNotAfterMs = parts.peerNotAfterMs;
    this.initiator = parts.initiator;
    this.remote = parts.remote;
    this.#lastMessageMs = parts.clock.monotonicMs();
    const { promise, resolve } = Promise.withResolvers<SessionClosed>();
    this.closed = promise;
    this.#resolveClosed = resolve;
    this.#arrivals = this.#makeArrivals();
    this.#outboxes = {
      datagram: new Outbox({
        kind: FRAME_KIND.datagram,
        boundBytes: OUTBOX_BYTES.datagram,
        dropOldest: true,
      }),
      request: new Outbox({
        kind: FRAME_KIND.request,
        boundBytes: OUTBOX_BYTES.request,
        creditBytes: REQUEST_WINDOW_BYTES,
      }),
      bulk: new Outbox({ kind: FRAME_KIND.bulk, boundBytes: OUTBOX_BYTES.bulk }),
    };
    this.#datagrams = this.#makeDatagrams();
    const { datagram, request } = this.#outboxes;
    this.#shared.handTo(this.#sharedHandler(), [this.#datagrams ?? datagram, request]);
    this.#keepalive = new Keepalive({
      clock: parts.clock,
      timers: parts.timers,
      intervalMs: parts.limits.keepaliveMs,
      ping: (token) => this.#shared.sendControl(FRAME_KIND.ping, token),
      dead: () =>
        this.#conclude(
          { kind: "failed", reason: "the peer has been silent for three keepalive intervals" },
          true,
        ),
      interval: () => {
        this.#closeWhenIdle();
        this.#closeWhenExpired();
      },
    });
  }

  /** Whether the session takes messages. */
  get open(): boolean {
    return this.#ending === undefined;
  }

  /** Whether no message is on its way or being received. */
  get idle(): boolean {
    return this.#arrivals.quiet && Object.values(this.#outboxes).every((outbox) => outbox.empty);
  }

  /** When the last message was sent or received, on the monotonic clock. */
  get lastMessageMs(): number {
    return this.#lastMessageMs;
  }

  /** What has passed so far. */
  stats(): SessionStats {
    const bulk = this.#bulk === "none" || this.#bulk === "opening" ? undefined : this.#bulk.traffic;
    const shared = this.#shared.traffic;
    return {
      carriers: {
        datagram: this.#datagrams?.overUdp === true ? "udp" : this.carrier,
        request: this.carrier,
        bulk: "tls-tcp",
      },
      connections: bulk === undefined ? 1 : 2,
      bytesIn: shared.bytesIn + (bulk?.bytesIn ?? 0),
      bytesOut: shared.bytesOut + (bulk?.bytesOut ?? 0),
      rttMs: this.#keepalive.rttMs,
      datagramsDroppedOut: this.#outboxes.datagram.dropped,
      datagramsDroppedIn: this.#arrivals.datagramsDropped,
      datagramsTo: this.#datagrams?.target,
      packetsUnopened: this.#datagrams?.counts.unopened ?? 0,
      messages: {
        datagram: { ...this.#counts.datagram },
        request: { ...this.#counts.request },
        bulk: { ...this.#counts.bulk },
      },
    };
  }

  exportKeyingMaterial(label: string, lengthBytes: number): Uint8Array {
    if (!Number.isInteger(lengthBytes) || lengthBytes < 1 || lengthBytes > KEYING_MATERIAL_BYTES) {
      throw new OptionOutOfRangeError(
        "lengthBytes",
        lengthBytes,
        `an integer from 1 to ${KEYING_MATERIAL_BYTES}`,
      );
    }
    if (this.#ended) throw new SessionClosedError(this.#ending?.reason ?? "");
    return this.#shared.exportKeyingMaterial(label, lengthBytes);
  }

  send(trafficClass: TrafficClass, message: Uint8Array): Promise<void> {
    const limit = MESSAGE_LIMIT_BYTES[trafficClass];
    if (message.length > limit)
      return Promise.reject(new MessageTooLargeError(trafficClass, message.length, limit));
    if (this.#ending !== undefined) return Promise.reject(new SessionClosedError(this.#ending.reason));
    this.#lastMessageMs = this.#parts.clock.monotonicMs();
    const accepted = this.#outboxes[trafficClass].offer(message);
    const counts = this.#counts[trafficClass];
    counts.messagesOut++;
    counts.bytesOut += message.length;
    if (trafficClass === "bulk") this.#wakeBulk();
    else if (trafficClass === "datagram" && this.#datagrams !== undefined) this.#datagrams.wake();
    else this.#shared.wake();
    return accepted;
  }

  onMessage(receive: (trafficClass: TrafficClass, message: Uint8Array) => void | Promise<void>): void {
    this.#arrivals.open(receive);
  }

  async close(reason: string): Promise<void> {
    this.#end({ kind: "local", reason });
    await this.closed;
  }

  /** End the session at once (S7). The peer is told if the connection still works. */
  fail(reason: string, code: number = CLOSE_CODE.failure): void {
    if (this.#ended) return;
    this.#shared.sendControl(FRAME_KIND.close, writeCodedReason(code, reason));
    this.#conclude({ kind: "failed", reason });
  }

  /** Take the bulk connection that the initiator opened. @throws {ProtocolViolationError} when there is one */
  attachBulk(connection: FramedConnection): void {
    if (typeof this.#bulk === "object")
      throw new ProtocolViolationError("it opened a second bulk connection");
    if (this.#ended) {
      connection.destroy();
      return;
    }
    this.#bulk = connection;
    connection.handTo(this.#bulkHandler(connection), [this.#outboxes.bulk], BULK_WRITES);
    if (!this.#arrivals.inbox("bulk").drained) connection.pause();
    this.#advance();
  }

  #makeArrivals(): Arrivals {
    const events = {
      credit: (bytes: number) => this.#shared.sendCredit(bytes),
      arrived: () => {
        this.#lastMessageMs = this.#parts.clock.monotonicMs();
      },
      bulkIdle: () => {
        if (typeof this.#bulk === "object") this.#bulk.resume();
      },
      idle: () => this.#advance(),
      failed: (reason: string) => this.fail(reason),
    };
    return new Arrivals(events, this.#counts);
  }

  /** (S5) */
  #makeDatagrams(): DatagramLane | undefined {
    const { datagrams, timers, limits } = this.#parts;
    if (datagrams === undefined) return undefined;
    return new DatagramLane({
      ...datagrams,
      outbox: this.#outboxes.datagram,
      shared: this.#shared,
      initiator: this.initiator,
      remoteHost: this.#shared.remoteHost ?? (isIP(this.remote.host) === 0 ? undefined : this.remote.host),
      timers,
      intervalMs: Math.ceil(limits.keepaliveMs / PROBES_PER_KEEPALIVE),
      offer: (payload) => this.#shared.sendControl(FRAME_KIND.offerUdp, payload),
      message: (message) => {
        if (!this.#received.shared)
          this.#arrivals.take("datagram", message, message.length + FRAME_COST_BYTES);
      },
      wakeStream: () => this.#shared.wake(),
    });
  }

  #sharedHandler(): ConnectionHandler {
    const { readers, window } = this.#arrivals;
    let reading: MessageReader = readers.datagram;
    return {
      begin: (header) => {
        const name = CLASS_OF_KIND[header.kind]!;
        if (name === "bulk") throw new ProtocolViolationError("it sent bulk on the shared connection");
        if (this.#received.shared) throw new ProtocolViolationError("it sent a message after its close");
        this.#keepalive.heard();
        reading = readers[name];
        if (name === "request") window.arrive(header.payloadLength + FRAME_COST_BYTES);
        reading.begin(header);
      },
      data: (piece) => reading.data(piece),
      end: () => {
        reading.end();
        if (reading === readers.request) this.#arrivals.requestFrameEnded();
      },
      control: (kind, payload) => this.#control(kind, payload),
      violated: (error) => this.#violated(error),
      lost: (reason) => this.#connectionLost(reason, this.#received.shared),
      flushed: () => this.#advance(),
    };
  }

  #bulkHandler(connection: FramedConnection): ConnectionHandler {
    const reader = this.#arrivals.readers.bulk;
    return {
      begin: (header) => {
        if (header.kind !== FRAME_KIND.bulk)
          throw new ProtocolViolationError("it sent another class on the bulk connection");
        if (this.#received.bulk) throw new ProtocolViolationError("it sent a message after its close");
        this.#keepalive.heard();
        reader.begin(header);
      },
      data: (piece) => reader.data(piece),
      end: () => {
        reader.end();
        if (!this.#arrivals.inbox("bulk").drained) connection.pause();
      },
      control: (kind) => {
        if (kind !== FRAME_KIND.close)
          throw new ProtocolViolationError(`it sent control ${kind} on the bulk connection`);
        this.#received.bulk = true;
        this.#advance();
      },
      violated: (error) => this.#violated(error),
      lost: (reason) => this.#connectionLost(reason, this.#received.bulk),
      flushed: () => this.#advance(),
    };
  }

  #control(kind: number, payload: Uint8Array): void {
    this.#keepalive.heard();
    if (kind === FRAME_KIND.ping) this.#shared.sendControl(FRAME_KIND.pong, payload);
    else if (kind === FRAME_KIND.pong) this.#keepalive.pong(payload);
    else if (kind === FRAME_KIND.credit) this.#takeCredit(payload);
    else if (kind === FRAME_KIND.openBulk) this.#openBulkForPeer();
    else if (kind === FRAME_KIND.close) this.#takeClose(payload);
    else if (kind === FRAME_KIND.offerUdp) this.#datagrams?.takeOffer(payload);
    else throw new ProtocolViolationError(`it sent control ${kind} in a session`);
  }

  #takeCredit(payload: Uint8Array): void {
    const outbox = this.#outboxes.request;
    outbox.addCredit(Buffer.from(payload).readUInt32BE());
    if (outbox.credit > REQUEST_WINDOW_BYTES)
      throw new ProtocolViolationError("it granted more than the window");
    this.#shared.wake();
  }

  #takeClose(payload: Uint8Array): void {
    const { code, reason } = readCodedReason(payload);
    if (code !== CLOSE_CODE.orderly) {
      this.#conclude({ kind: "failed", reason: `the peer ended the session: ${reason}` });
      return;
    }
    this.#received.shared = true;
    this.#end({ kind: "remote", reason });
    this.#advance();
  }

  #violated(error: unknown): void {
    this.fail(error instanceof Error ? error.message : String(error), CLOSE_CODE.violation);
  }

  #connectionLost(reason: string, afterClose: boolean): void {
    if (this.#ended) return;
    if (this.#ending === undefined) this.#conclude({ kind: "failed", reason });
    else if (!afterClose)
      this.#conclude({ ...this.#ending, reason: `${this.#ending.reason} (unconfirmed: ${reason})` });
  }

  #openBulkForPeer(): void {
    if (!this.initiator)
      throw new ProtocolViolationError("it asked the acceptor to open the bulk connection");
    this.#openBulk();
  }

  #wakeBulk(): void {
    if (typeof this.#bulk === "object") this.#bulk.wake();
    else this.#openBulk();
  }

  #openBulk(): void {
    if (this.#bulk !== "none") return;
    this.#bulk = "opening";
    const { dialBulk } = this.#parts;
    if (dialBulk === undefined) {
      this.#shared.sendControl(FRAME_KIND.openBulk, new Uint8Array(0));
      return;
    }
    dialBulk(this).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      this.fail(`the bulk connection could not be opened: ${why}`);
    });
  }

  #closeWhenIdle(): void {
    const silentMs = this.#parts.clock.monotonicMs() - this.#lastMessageMs;
    if (silentMs >= this.#parts.limits.idleMs && this.idle) this.#end({ kind: "local", reason: "idle" });
  }

  /** (S6) */
  #closeWhenExpired(): void {
    if (this.#parts.clock.wallMs() <= this.peerCertificateNotAfterMs + CLOCK_SKEW_MS) return;
    const since = new Date(this.peerCertificateNotAfterMs).toISOString();
    if (this.open) this.#parts.expired(this);
    this.#end({ kind: "local", reason: `the certificate of the peer expired at ${since}` });
  }

  /** Start the orderly close (S4). */
  #end(ending: SessionClosed): void {
    if (this.#ending !== undefined) return;
    this.#ending = ending;
    this.#parts.leaving(this);
    for (const outbox of Object.values(this.#outboxes))
      outbox.refuseWaiting(new SessionClosedError(ending.reason));
    this.#deadline = this.#parts.timers.schedule(CLOSE_TIMEOUT_MS, () =>
      this.#conclude({ ...ending, reason: `${ending.reason} (unconfirmed: the peer took too long)` }, true),
    );
    this.#advance();
  }

  /** Take the next step of the orderly close, if it is due (S4). */
  #advance(): void {
    const ending = this.#ending;
    if (ending === undefined || this.#ended) return;
    const { datagram, request, bulk } = this.#outboxes;
    if (typeof this.#bulk === "object" && bulk.empty && !this.#sent.bulk) {
      this.#sent.bulk = true;
      this.#bulk.sendControl(FRAME_KIND.close, writeCodedReason(CLOSE_CODE.orderly, ending.reason));
    }
    const bulkSent = this.#bulk === "none" || this.#sent.bulk;
    if (datagram.empty && request.empty && bulkSent && !this.#sent.shared) {
      this.#sent.shared = true;
      this.#shared.sendControl(FRAME_KIND.close, writeCodedReason(CLOSE_CODE.orderly, ending.reason));
    }
    const bulkDone = this.#bulk === "none" || (this.#sent.bulk && this.#received.bulk);
    const { drained } = this.#arrivals;
    if (this.#sent.shared && this.#received.shared && bulkDone && drained) this.#conclude(ending);
  }

  /** The session is over. `atOnce` for a peer that does not answer: its connections are not ended but destroyed. */
  #conclude(closed: SessionClosed, atOnce = false): void {
    if (this.#ended) return;
    const wasOpen = this.#ending === undefined;
    this.#ended = true;
    this.#ending = closed;
    this.#deadline?.cancel();
    this.#keepalive.stop();
    this.#datagrams?.stop();
    if (wasOpen) this.#parts.leaving(this);
    for (const outbox of Object.values(this.#outboxes)) outbox.discard(new SessionClosedError(closed.reason));
    this.#arrivals.discard();
    const connections = [this.#shared, ...(typeof this.#bulk === "object" ? [this.#bulk] : [])];
    for (const connection of connections) atOnce ? connection.destroy() : connection.finish();
    void Promise.all(connections.map((connection) => connection.gone)).then(() => {
      this.#parts.over(this);
      this.#resolveClosed(closed);
    });
  }
}
