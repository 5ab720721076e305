/**
 * Sessions to peers: dialling, admission, and one place to send to a node (docs/spec/envelope.md).
 *
 * S1. Only envelopes of admitted sessions reach {@link SessionsOptions.onEnvelope}.
 * S2. Bytes that do not decode, or a message that is not allowed, close the session after a typed refusal.
 * S3. Messages to a node without a session wait for one dial, at most {@link OUTBOX_MESSAGES_MAX} and {@link OUTBOX_BYTES_MAX}; datagrams
 *     are dropped first. When the dial fails they are dropped and `onUnreachable` says so.
 * S4. A session that is not admitted in time is closed; sessions that are not admitted are at most {@link PENDING_MAX}.
 * S5. When more than {@link CONGESTED_BYTES} wait for a node, it counts as congested until half of that is left; `onDrained` tells.
 * S6. A peer that does not drain what is sent to it loses datagrams first, then its session.
 * S7. A node that could not be dialled is not dialled again for a pause that grows with failures in a row ({@link REDIAL_MS}).
 * S8. A session ends when its peer's certificate does, unless the peer showed a renewed one before, and when the peer is removed.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type {
  HostPort,
  Random,
  Session,
  TimerHandle,
  Timers,
  TrafficClass,
  Transport,
} from "@glia-os/abi/ports";
import { type Certificate, CLOCK_SKEW_MS, CREDENTIAL_MAX } from "../admission/certificate.ts";
import { errorFields } from "../admission/error-record.ts";
import { type AdmissionState, Handshake, readSuccessions } from "../admission/handshake.ts";
import { EXPORTER_BYTES, EXPORTER_LABEL } from "../admission/join-token.ts";
import {
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  isAdmissionKind,
  type OutgoingEnvelope,
} from "../codec/envelope.ts";
import { FieldReader } from "../codec/reader.ts";
import {
  CertificateExpiredError,
  MeshStoppedError,
  NodeRemovedError,
  NotAdmittedError,
  PeerUnreachableError,
  ProtocolViolationError,
} from "../errors.ts";
import type { NodeRole } from "../mesh-types.ts";
import { Pauses } from "./pauses.ts";

/** Messages that wait for a dial, per node. */
export const OUTBOX_MESSAGES_MAX = 256;
/** Bytes that wait for a dial, per node. */
export const OUTBOX_BYTES_MAX = 33_554_432;
/** Sessions that are not admitted yet. */
export const PENDING_MAX = 256;
/** Time a session has to be admitted, in milliseconds. */
export const ADMISSION_MS = 5000;
/** Shortest and longest time that a node is not dialled again after failed dials in a row, in milliseconds. */
export const REDIAL_MS = [200, 5000] as const;
/** Nodes whose failed dials are remembered. */
export const FAILED_DIALS_MAX = 4096;
/** Bytes waiting for one node above which links hold back. A little more than the wire's own request window. */
export const CONGESTED_BYTES = 2_097_152;
/** A certificate that ends later than this is looked at again after it. */
const LOOK_AGAIN_MS = 3_600_000;
const BACKLOG_DATAGRAMS_MAX = 1_048_576;
const BACKLOG_BYTES_MAX = 128 * 1_048_576;

/** An admitted peer. */
export interface Peer {
  readonly node: NodeId;
  readonly role: NodeRole;
}

/** What {@link Sessions} works with and reports to. */
export interface SessionsOptions {
  readonly transport: Transport;
  readonly timers: Timers;
  readonly random: Random;
  readonly admission: AdmissionState;
  /** Where a node listens, if anybody knows. */
  addressOf(node: NodeId): HostPort | undefined;
  /** One message of an admitted peer (S1). Throwing a typed error closes the session (S2). */
  onEnvelope(peer: Peer, trafficClass: TrafficClass, envelope: Envelope): void;
  /** The first session with a node was admitted. */
  onUp(peer: Peer): void;
  /** The last session with a node ended. */
  onDown(peer: Peer, reason: string, failed: boolean): void;
  /** A congested node is congested no more (S5). */
  onDrained(node: NodeId): void;
  /** A dial failed; what waited for it was dropped. */
  onUnreachable(node: NodeId, cause: unknown): void;
  /** A session was refused by either side. */
  onRefused(node: NodeId, error: unknown): void;
}

interface Attached {
  readonly session: Session;
  readonly handshake: Handshake;
  readonly settled: ((error?: unknown) => void)[];
  certificate: Certificate | undefined;
  deadline: TimerHandle | undefined;
  backlog: number;
  congested: boolean;
  refusal: unknown;
}

interface Outbox {
  readonly messages: { readonly trafficClass: TrafficClass; readonly bytes: Uint8Array }[];
  bytes: number;
}

interface FailedDials {
  readonly pauses: Pauses;
  waiting: TimerHandle | undefined;
}

/** The sessions of one node. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #attached = new Map<Session, Attached>();
  readonly #admitted = new Map<NodeId, Attached[]>();
  readonly #outboxes = new Map<NodeId, Outbox>();
  readonly #failedDials = new Map<NodeId, FailedDials>();
  #pending = 0;
  #stopped = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
    options.transport.onSession((session) => this.#attach(session, () => undefined));
  }

  /** Nodes with an admitted session. */
  peers(): Peer[] {
    return [...this.#admitted].flatMap(([node, [first]]) =>
      first?.certificate === undefined ? [] : [{ node, role: first.certificate.role }],
    );
  }

  /** Whether an admitted session with `node` is open. */
  has(node: NodeId): boolean {
    return this.#admitted.has(node);
  }

  /** Whether so much waits for `node` that nothing should be added that can wait (S5). */
  congested(node: NodeId): boolean {
    const open = this.#admitted.get(node)?.at(-1);
    if (open !== undefined) return open.congested;
    return (this.#outboxes.get(node)?.bytes ?? 0) > CONGESTED_BYTES;
  }

  /** Dial and go through admission. Rejects with the typed reason. */
  async dial(address: HostPort, expect?: NodeId): Promise<NodeId> {
    const session = await this.#options.transport.connect(address, expect);
    if (this.#stopped) throw new MeshStoppedError();
    const known = this.#attached.get(session);
    if (known?.certificate !== undefined) return session.peer;
    await new Promise<void>((resolve, reject) => {
      const settled = (error?: unknown): void => (error === undefined ? resolve() : reject(error));
      // The transport may hand out a session that the peer opened and whose admission is under way.
      if (known !== undefined) known.settled.push(settled);
      else this.#attach(session, settled);
    });
    return session.peer;
  }

  /** Send one message, dialling when needed (S3). False when it was dropped at once. */
  send(node: NodeId, trafficClass: TrafficClass, envelope: OutgoingEnvelope): boolean {
    if (this.#stopped) return false;
    const bytes = encodeEnvelope(envelope, trafficClass);
    const open = this.#admitted.get(node)?.at(-1);
    if (open !== undefined) return this.#put(open, trafficClass, bytes);
    const address = this.#options.addressOf(node);
    if (address === undefined || this.#failedDials.get(node)?.waiting !== undefined) return false;
    return this.#queue(node, address, trafficClass, bytes);
  }

  /** The certificate a node showed on an open session. */
  certificateOf(node: NodeId): Certificate | undefined {
    return this.#admitted.get(node)?.at(-1)?.certificate;
  }

  /** Refuse a node: its sessions end, and it is told why. */
  refuse(node: NodeId, error: unknown): void {
    for (const entry of [...(this.#admitted.get(node) ?? [])]) this.#refuse(entry, error);
  }

  /** A node was removed: its sessions end, but for those of a certificate that was issued afterwards. */
  removed(node: NodeId): void {
    for (const entry of [...(this.#admitted.get(node) ?? [])])
      if (entry.certificate === undefined || this.#options.admission.removals.covers(entry.certificate))
        this.#refuse(entry, new NodeRemovedError(node));
  }

  /** Show every peer this node's new certificate, after the keys that explain it. */
  showCredentials(certificate: Uint8Array, successions: readonly Uint8Array[]): void {
    const keys = encodeEnvelope({ kind: "clusterKeys", requestId: 0, body: [successions] });
    const shown = encodeEnvelope({ kind: "recertify", requestId: 0, body: [certificate] });
    for (const [entry] of this.#admitted.values()) {
      if (entry === undefined) continue;
      if (successions.length > 0) this.#put(entry, "request", keys);
      this.#put(entry, "request", shown);
    }
  }

  /** Close all. Later events of the transport are ignored. */
  stop(): void {
    this.#stopped = true;
    this.#outboxes.clear();
    for (const { waiting } of this.#failedDials.values()) waiting?.cancel();
    this.#failedDials.clear();
    for (const { deadline, session } of this.#attached.values()) {
      deadline?.cancel();
      void session.close("the node stops");
    }
  }

  #attach(session: Session, settled: (error?: unknown) => void): void {
    if (this.#attached.has(session)) return;
    if (this.#stopped || this.#pending >= PENDING_MAX) {
      settled(new ProtocolViolationError(`more than ${PENDING_MAX} sessions wait for admission`));
      void session.close("no room");
      return;
    }
    const entry: Attached = {
      session,
      settled: [settled],
      certificate: undefined,
      deadline: undefined,
      backlog: 0,
      congested: false,
      refusal: undefined,
      handshake: new Handshake(this.#options.admission, {
        peer: session.peer,
        peerKey: session.peerKey,
        initiator: session.initiator,
        exporter: () => session.exportKeyingMaterial(EXPORTER_LABEL, EXPORTER_BYTES),
        send: (kind, body) => this.#put(entry, "request", encodeEnvelope({ kind, requestId: 0, body })),
        admitted: (certificate) => this.#admit(entry, certificate),
      }),
    };
    this.#pending++;
    this.#attached.set(session, entry);
    entry.deadline = this.#options.timers.schedule(ADMISSION_MS, () =>
      this.#refuse(entry, new NotAdmittedError("this session")),
    );
    session.onMessage((trafficClass, bytes) => this.#receive(entry, trafficClass, bytes));
    void session.closed.then(({ kind, reason }) => this.#detach(entry, reason, kind === "failed"));
    this.#guard(entry, () => entry.handshake.begin());
  }

  #receive(entry: Attached, trafficClass: TrafficClass, bytes: Uint8Array): void {
    if (this.#stopped || entry.refusal !== undefined) return;
    this.#guard(entry, () => {
      // Classes are not ordered between each other: a datagram may overtake the end of the handshake, and is dropped like a lost one.
      if (entry.certificate === undefined && trafficClass !== "request") return;
      const envelope = decodeEnvelope(bytes, trafficClass);
      if (entry.certificate === undefined || envelope.kind === "refusal") {
        entry.handshake.receive(envelope);
        return;
      }
      if (this.#credentialsShown(entry, entry.certificate, envelope)) return;
      if (isAdmissionKind(envelope.kind))
        throw new ProtocolViolationError(`${envelope.kind} on an admitted session`);
      const peer = { node: entry.session.peer, role: entry.certificate.role };
      this.#options.onEnvelope(peer, trafficClass, envelope);
    });
  }

  #guard(entry: Attached, step: () => void): void {
    try {
      step();
    } catch (error) {
      this.#refuse(entry, error);
    }
  }

  /** S8: the peer's certificate is judged again when it ends. */
  #watchCertificate(entry: Attached, certificate: Certificate): void {
    const { admission, timers } = this.#options;
    entry.deadline?.cancel();
    const leftMs = certificate.expiresMs + CLOCK_SKEW_MS - admission.wallMs();
    entry.deadline = timers.schedule(Math.min(Math.max(0, leftMs) + 1, LOOK_AGAIN_MS), () => {
      if (admission.wallMs() <= certificate.expiresMs + CLOCK_SKEW_MS)
        this.#watchCertificate(entry, certificate);
      else this.#refuse(entry, new CertificateExpiredError("it ended while the session was open"));
    });
  }

  /** A member showed a renewed certificate or new cluster keys; whether the message was one of these. */
  #credentialsShown(entry: Attached, before: Certificate, { kind, body }: Envelope): boolean {
    const { admission } = this.#options;
    if (kind === "clusterKeys") admission.keysSeen(readSuccessions(body));
    else if (kind === "recertify") {
      const reader = new FieldReader(body, "a renewed certificate");
      const bytes = reader.bytes("certificate", CREDENTIAL_MAX, 1);
      reader.end();
      const certificate = admission.openPeer(bytes, entry.session.peerKey);
      if (certificate.role !== before.role)
        throw new ProtocolViolationError("the renewed certificate has another role");
      for (const other of this.#admitted.get(entry.session.peer) ?? []) {
        other.certificate = certificate;
        this.#watchCertificate(other, certificate);
      }
    } else return false;
    return true;
  }

  #refuse(entry: Attached, error: unknown): void {
    if (entry.refusal !== undefined) return;
    entry.refusal = error;
    this.#options.onRefused(entry.session.peer, error);
    const body = errorFields(error);
    this.#put(entry, "request", encodeEnvelope({ kind: "refusal", requestId: 0, body }));
    void entry.session.close(error instanceof Error ? error.message : String(error));
  }

  #admit(entry: Attached, certificate: Certificate): void {
    entry.certificate = certificate;
    this.#watchCertificate(entry, certificate);
    this.#pending--;
    const node = entry.session.peer;
    const before = this.#admitted.get(node);
    if (before === undefined) this.#admitted.set(node, [entry]);
    else before.push(entry);
    this.#failedDials.get(node)?.waiting?.cancel();
    this.#failedDials.delete(node);
    const outbox = this.#outboxes.get(node);
    this.#outboxes.delete(node);
    if (before === undefined) this.#options.onUp({ node, role: certificate.role });
    for (const { trafficClass, bytes } of outbox?.messages ?? []) this.#put(entry, trafficClass, bytes);
    if (outbox !== undefined && !entry.congested) this.#options.onDrained(node);
    for (const settled of entry.settled) settled();
  }

  #detach(entry: Attached, reason: string, failed: boolean): void {
    if (!this.#attached.delete(entry.session)) return;
    entry.deadline?.cancel();
    const node = entry.session.peer;
    if (entry.certificate === undefined) {
      this.#pending--;
      const error = entry.refusal ?? new PeerUnreachableError(node, reason);
      for (const settled of entry.settled) settled(error);
      return;
    }
    const left = (this.#admitted.get(node) ?? []).filter((other) => other !== entry);
    if (left.length > 0) this.#admitted.set(node, left);
    else {
      this.#admitted.delete(node);
      if (!this.#stopped) this.#options.onDown({ node, role: entry.certificate.role }, reason, failed);
    }
  }

  #put(entry: Attached, trafficClass: TrafficClass, bytes: Uint8Array): boolean {
    if (trafficClass === "datagram" && entry.backlog > BACKLOG_DATAGRAMS_MAX) return false;
    if (entry.backlog + bytes.length > BACKLOG_BYTES_MAX) {
      void entry.session.close("the peer does not read");
      return false;
    }
    entry.backlog += bytes.length;
    if (entry.backlog > CONGESTED_BYTES) entry.congested = true;
    const done = (): void => {
      entry.backlog -= bytes.length;
      if (!entry.congested || entry.backlog > CONGESTED_BYTES / 2) return;
      entry.congested = false;
      if (!this.#stopped) this.#options.onDrained(entry.session.peer);
    };
    // A failed send means that the session is over; `closed` reports it.
    entry.session.send(trafficClass, bytes).then(done, done);
    return true;
  }

  #queue(node: NodeId, address: HostPort, trafficClass: TrafficClass, bytes: Uint8Array): boolean {
    const waiting = this.#outboxes.get(node);
    const outbox = waiting ?? { messages: [], bytes: 0 };
    if (outbox.messages.length >= OUTBOX_MESSAGES_MAX || outbox.bytes + bytes.length > OUTBOX_BYTES_MAX)
      return false;
    outbox.messages.push({ trafficClass, bytes });
    outbox.bytes += bytes.length;
    if (waiting === undefined) {
      this.#outboxes.set(node, outbox);
      this.dial(address, node).catch((error: unknown) => this.#dialFailed(node, error));
    }
    return true;
  }

  #dialFailed(node: NodeId, error: unknown): void {
    if (this.#stopped) return;
    this.#outboxes.delete(node);
    this.#pauseDials(node);
    this.#options.onUnreachable(node, error);
  }

  /** S7: pauses grow with failures in a row and end with an admitted session. */
  #pauseDials(node: NodeId): void {
    const { random, timers } = this.#options;
    let failed = this.#failedDials.get(node);
    if (failed === undefined) {
      for (const oldest of this.#failedDials.keys()) {
        if (this.#failedDials.size < FAILED_DIALS_MAX) break;
        this.#failedDials.get(oldest)?.waiting?.cancel();
        this.#failedDials.delete(oldest);
      }
      failed = { pauses: new Pauses(random, ...REDIAL_MS), waiting: undefined };
      this.#failedDials.set(node, failed);
    }
    const paused = failed;
    paused.waiting = timers.schedule(paused.pauses.next(), () => {
      paused.waiting = undefined;
    });
  }
}
