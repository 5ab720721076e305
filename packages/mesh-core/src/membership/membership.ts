/**
 * Who is in the cluster and who seems to run (docs/spec/membership.md): SWIM with memberlist's parameters, Lifeguard's local health
 * and suspicion times, signed statements, anti-entropy and reconnection.
 *
 * M1. Every node that runs and is connected is alive in all views after the timers of its profile.
 * M2. A crashed node becomes dead in all views; a node that left stays left, whatever old rumours say.
 * M3. Only the subject refutes an accusation: with a higher incarnation, signed.
 * M4. Dead members are dialled again from time to time, so a healed partition merges by itself.
 * M5. A client watches: it pulls tables, accuses nobody and is in nobody's table.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { fromHex } from "@glia-os/abi/ids";
import type { Clock, HostPort, Random, Signer, TimerHandle, Timers, TrafficClass } from "@glia-os/abi/ports";
import { CLOCK_SKEW_MS } from "../admission/certificate.ts";
import type { CborValue } from "../codec/cbor.ts";
import type { Envelope, Kind } from "../codec/envelope.ts";
import { FieldReader } from "../codec/reader.ts";
import type { Member, MeshEvent, NodeRole } from "../mesh-types.ts";
import type { Peer } from "../peers/sessions.ts";
import { Awareness } from "./awareness.ts";
import { BroadcastQueue } from "./broadcast-queue.ts";
import { MEMBERS_MAX, type MemberEntry, MemberTable, memberView } from "./member-table.ts";
import type { MembershipParameters } from "./parameters.ts";
import { Probes } from "./probe.ts";
import {
  type Accusation,
  type Heard,
  type MemberRecord,
  STATEMENT_MAX,
  type Statements,
} from "./statement.ts";
import { Suspicion } from "./suspicion.ts";

/** Bytes of statements in one datagram: what 1200 leave after the header and the longest fixed fields. */
const PIGGYBACK_BYTES = 1120;
/** A client pulls a table this often, in milliseconds. */
export const CLIENT_PULL_MS = 1000;

const KINDS_OF_MEMBERSHIP: ReadonlySet<Kind> = new Set([
  "ping",
  "ack",
  "pingReq",
  "nack",
  "gossip",
  "pushPull",
]);

/** Whether a kind of message is for this machine. */
export function isMembershipKind(kind: Kind): boolean {
  return KINDS_OF_MEMBERSHIP.has(kind);
}

/** What membership works with. */
export interface MembershipOptions {
  readonly self: NodeId;
  readonly role: NodeRole;
  readonly name: string;
  /** What others dial; a client's is never told. */
  readonly address: HostPort;
  readonly bootEpoch: number;
  readonly certificate: Uint8Array;
  readonly statements: Statements;
  readonly parameters: MembershipParameters;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly signer: Signer;
  send(node: NodeId, trafficClass: TrafficClass, envelope: Envelope): void;
  emit(event: MeshEvent): void;
}

/** The membership machine of one node. */
export class Membership {
  readonly #o: MembershipOptions;
  readonly #table = new MemberTable();
  readonly #broadcasts: BroadcastQueue;
  readonly #awareness: Awareness;
  readonly #probes: Probes;
  readonly #timers = new Map<string, TimerHandle>();
  #round: NodeId[] = [];
  #incarnation = 0;
  #running = false;

  constructor(options: MembershipOptions) {
    this.#o = options;
    this.#broadcasts = new BroadcastQueue(options.parameters.retransmitMult);
    this.#awareness = new Awareness(options.parameters.awarenessMax);
    this.#probes = new Probes(
      {
        parameters: options.parameters,
        timers: options.timers,
        ping: (node, seq, trafficClass) => this.#say(node, "ping", seq, [], trafficClass),
        pingReq: (helper, seq, target) => this.#say(helper, "pingReq", seq, [fromHex(target)]),
        ack: (node, seq) => this.#say(node, "ack", seq, []),
        nack: (node, seq) => this.#say(node, "nack", seq, []),
        helpers: (target, k) => this.#pick(k, ({ node, state }) => node !== target && state === "alive"),
        succeeded: () => this.#awareness.adjust(-1),
        failed: (target, helpers, missing) => this.#probeFailed(target, helpers, missing),
      },
      options.random.uint32(),
    );
  }

  /** Local health (0 is well). */
  get healthScore(): number {
    return this.#awareness.score;
  }

  /** Begin: this node's record and every timer. */
  start(): void {
    this.#running = true;
    const { parameters } = this.#o;
    if (this.#observes()) {
      this.#every(
        "pull",
        () => CLIENT_PULL_MS,
        () => this.#pull(),
      );
      return;
    }
    this.#announce(false);
    this.#every(
      "probe",
      () => parameters.probeIntervalMs * (this.#awareness.score + 1),
      () => this.#probeNext(),
    );
    this.#every(
      "gossip",
      () => parameters.gossipIntervalMs,
      () => this.#gossip(),
    );
    this.#every(
      "push-pull",
      () => parameters.pushPullIntervalMs,
      () => this.#pull(),
    );
    this.#every(
      "reconnect",
      () => parameters.reconnectIntervalMs,
      () => this.#reconnect(),
    );
  }

  /** Tell some members that this node goes, and end. */
  leave(): void {
    if (!this.#running) return;
    if (!this.#observes()) {
      this.#announce(true);
      const statement = this.#table.get(this.#o.self)?.recordBytes;
      if (statement !== undefined)
        for (const { node } of this.#others()) this.#send(node, "request", "gossip", 0, [[statement]]);
    }
    this.stop();
  }

  /** End without a word. */
  stop(): void {
    this.#running = false;
    this.#probes.stop();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** Every member, this node first, then by id. */
  members(): Member[] {
    const order = (entry: MemberEntry): string => (entry.node === this.#o.self ? "" : entry.node);
    return this.#table
      .all()
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
      .map(memberView);
  }

  /** One member. */
  member(node: NodeId): Member | undefined {
    const entry = this.#table.get(node);
    return entry === undefined ? undefined : memberView(entry);
  }

  /** Exchange tables with a node now. */
  exchange(node: NodeId): void {
    this.#send(node, "request", "pushPull", 0, [false, this.#snapshot()]);
  }

  /** A session ended: that member is probed next, out of turn. */
  sessionLost(node: NodeId): void {
    const entry = this.#table.get(node);
    if (!this.#running || this.#observes() || entry === undefined || node === this.#o.self) return;
    if (entry.state !== "alive" || this.#probes.probing(node)) return;
    this.#probes.start(node, this.#o.parameters.probeIntervalMs);
  }

  /** One message of this protocol. @throws {MalformedMessageError} and certificate errors: the session is closed then. */
  receive(peer: Peer, trafficClass: TrafficClass, { kind, requestId, body }: Envelope): void {
    if (!this.#running) return;
    const reader = new FieldReader(body, `a ${kind}`);
    if (kind === "pushPull") {
      this.#pushPull(peer, reader);
      return;
    }
    const target = kind === "pingReq" ? reader.node("target") : undefined;
    const statements = readStatements(reader);
    reader.end();
    // Only members may speak about members; a client's ping is answered, its statements are not heard.
    if (peer.role !== "client") for (const statement of statements) this.#hear(statement);
    if (kind === "ping") this.#answerPing(peer.node, requestId, trafficClass);
    else if (kind === "ack") this.#probes.acknowledged(peer.node, requestId);
    else if (kind === "nack") this.#probes.nacked(requestId);
    else if (target !== undefined) this.#probes.relay(peer.node, requestId, target);
    this.#tellTheDead(peer.node);
  }

  #observes(): boolean {
    return this.#o.role === "client";
  }

  #others(): MemberEntry[] {
    return this.#table.live().filter(({ node }) => node !== this.#o.self);
  }

  /** Members that the formulas count, this node included. */
  #count(): number {
    return this.#table.live().length;
  }

  #every(name: string, delayMs: () => number, run: () => void): void {
    const tick = (): void => {
      this.#timers.set(name, this.#o.timers.schedule(delayMs(), tick));
      run();
    };
    // A random first delay, so that nodes that start together do not speak together.
    const first = (delayMs() * (this.#o.random.uint32() >>> 8)) / 0x100_0000;
    this.#timers.set(name, this.#o.timers.schedule(first, tick));
  }

  #announce(left: boolean): void {
    const { self, signer, statements, certificate, name, address, bootEpoch, clock } = this.#o;
    const record: MemberRecord = { name, address, bootEpoch, incarnation: this.#incarnation, left };
    const bytes = statements.signRecord(signer, certificate, record);
    const heard = statements.read(bytes);
    if (heard.type === "record") this.#table.put(heard.verify(), record, bytes, clock.monotonicMs());
    this.#broadcasts.add(self, bytes);
  }

  #probeNext(): void {
    this.#forgetOld();
    while (this.#round.length > 0) {
      const entry = this.#table.get(this.#round.pop() as NodeId);
      if (entry === undefined || (entry.state !== "alive" && entry.state !== "suspect")) continue;
      this.#probes.start(entry.node, this.#o.parameters.probeIntervalMs);
      return;
    }
    this.#round = this.#shuffle(this.#others().map(({ node }) => node));
    if (this.#round.length > 0) this.#probeNext();
  }

  #probeFailed(target: NodeId, helpers: number, missingNacks: number): void {
    this.#awareness.adjust(helpers === 0 ? 1 : missingNacks);
    const entry = this.#table.get(target);
    if (entry === undefined) return;
    const { bootEpoch, incarnation } = entry.record;
    this.#accuse({ subject: target, accuser: this.#o.self, bootEpoch, incarnation, verdict: "suspect" });
  }

  #accuse(accusation: Accusation): void {
    const entry = this.#table.accused(accusation);
    if (entry === undefined) return;
    this.#apply(entry, accusation, this.#o.statements.signAccusation(this.#o.signer, accusation));
  }

  #hear(bytes: Uint8Array): void {
    const heard = this.#o.statements.read(bytes);
    if (heard.type === "record") this.#hearRecord(heard);
    else this.#hearAccusation(heard);
  }

  #hearRecord(heard: Heard & { readonly type: "record" }): void {
    const { self, clock, emit } = this.#o;
    if (heard.node === self || !this.#table.wants(heard.node, heard.record)) return;
    const certificate = heard.verify();
    if (certificate.role === "client" || clock.wallMs() > certificate.expiresMs + CLOCK_SKEW_MS) return;
    const before = this.#table.put(certificate, heard.record, heard.bytes, clock.monotonicMs());
    this.#timers.get(`suspect ${heard.node}`)?.cancel();
    this.#broadcasts.add(heard.node, heard.bytes);
    const entry = this.#table.get(heard.node);
    if (entry === undefined) return;
    if (heard.record.left) {
      if (before !== undefined && before !== "left") emit({ kind: "memberLeft", member: memberView(entry) });
    } else if (before !== "alive") emit({ kind: "memberUp", member: memberView(entry) });
  }

  #hearAccusation(heard: Heard & { readonly type: "accusation" }): void {
    const { accusation } = heard;
    if (accusation.subject === this.#o.self) {
      this.#refute(heard);
      return;
    }
    const entry = this.#table.accused(accusation);
    const accuser = this.#table.get(accusation.accuser);
    if (entry === undefined || accuser === undefined) return;
    if (entry.suspicion !== undefined && accusation.verdict === "suspect" && this.#observes()) return;
    if (heard.verify(accuser.certificate.nodeKey)) this.#apply(entry, accusation, heard.bytes);
  }

  #refute({ accusation, verify }: Heard & { readonly type: "accusation" }): void {
    const accuser = this.#table.get(accusation.accuser);
    if (accusation.bootEpoch !== this.#o.bootEpoch || accusation.incarnation !== this.#incarnation) return;
    if (accuser === undefined || !verify(accuser.certificate.nodeKey)) return;
    this.#incarnation++;
    this.#awareness.adjust(1);
    this.#announce(false);
  }

  #apply(entry: MemberEntry, accusation: Accusation, bytes: Uint8Array): void {
    const { clock, parameters } = this.#o;
    const nowMs = clock.monotonicMs();
    if (accusation.verdict === "suspect" && entry.state === "suspect") {
      if (entry.suspicion?.confirm(accusation.accuser) !== true) return;
      this.#broadcasts.add(entry.node, bytes);
      this.#watchSuspect(entry, nowMs);
      return;
    }
    entry.state = accusation.verdict;
    entry.accusationBytes = bytes;
    entry.changedMs = nowMs;
    this.#broadcasts.add(entry.node, bytes);
    this.#timers.get(`suspect ${entry.node}`)?.cancel();
    if (accusation.verdict === "suspect") {
      entry.suspicion = new Suspicion(parameters, this.#count(), accusation.accuser, nowMs);
      this.#watchSuspect(entry, nowMs);
      this.#o.emit({ kind: "memberSuspect", member: memberView(entry) });
    } else {
      entry.suspicion = undefined;
      this.#o.emit({ kind: "memberDead", member: memberView(entry) });
    }
  }

  #watchSuspect(entry: MemberEntry, nowMs: number): void {
    if (this.#observes() || entry.suspicion === undefined) return;
    const key = `suspect ${entry.node}`;
    this.#timers.get(key)?.cancel();
    const { bootEpoch, incarnation } = entry.record;
    const dead = {
      subject: entry.node,
      accuser: this.#o.self,
      bootEpoch,
      incarnation,
      verdict: "dead",
    } as const;
    const delayMs = Math.max(0, entry.suspicion.deadlineMs() - nowMs);
    this.#timers.set(
      key,
      this.#o.timers.schedule(delayMs, () => this.#accuse(dead)),
    );
  }

  #answerPing(from: NodeId, seq: number, trafficClass: TrafficClass): void {
    this.#say(from, "ack", seq, [], trafficClass === "request" ? "request" : "datagram");
  }

  /** A member believed dead or suspect that speaks is told so, and can refute at once. */
  #tellTheDead(node: NodeId): void {
    const entry = this.#table.get(node);
    if (entry?.accusationBytes === undefined) return;
    this.#send(node, "datagram", "gossip", 0, [[entry.accusationBytes]]);
  }

  #gossip(): void {
    const targets = this.#pick(this.#o.parameters.gossipNodes, () => true);
    for (const target of targets) {
      const statements = this.#broadcasts.take(PIGGYBACK_BYTES, this.#count());
      if (statements.length === 0) return;
      this.#send(target, "datagram", "gossip", 0, [statements]);
    }
  }

  #pull(): void {
    for (const node of this.#pick(1, ({ state }) => state === "alive")) this.exchange(node);
  }

  #reconnect(): void {
    const dead = this.#table.all().filter(({ state }) => state === "dead");
    const [chosen] = this.#shuffle(dead);
    if (chosen !== undefined) this.exchange(chosen.node);
  }

  #forgetOld(): void {
    const before = this.#o.clock.monotonicMs() - this.#o.parameters.forgetAfterMs;
    for (const { node, state, changedMs } of this.#table.all())
      if ((state === "dead" || state === "left") && changedMs < before) {
        this.#table.forget(node);
        this.#timers.delete(`suspect ${node}`);
      }
  }

  #pushPull(peer: Peer, reader: FieldReader): void {
    const isReply = reader.bool("reply");
    const statements = readStatements(reader, 2 * MEMBERS_MAX);
    reader.end();
    if (peer.role !== "client") for (const statement of statements) this.#hear(statement);
    if (!isReply && !this.#observes())
      this.#send(peer.node, "request", "pushPull", 0, [true, this.#snapshot()]);
  }

  /** Everything this node would tell: records, and the accusation behind each suspect and dead. */
  #snapshot(): Uint8Array[] {
    if (this.#observes()) return [];
    return this.#table
      .all()
      .flatMap(({ recordBytes, accusationBytes }) =>
        accusationBytes === undefined ? [recordBytes] : [recordBytes, accusationBytes],
      );
  }

  #say(
    node: NodeId,
    kind: Kind,
    seq: number,
    fields: CborValue[],
    trafficClass: TrafficClass = "datagram",
  ): void {
    const statements = this.#observes() ? [] : this.#piggyback(node);
    this.#send(node, trafficClass, kind, seq, [...fields, statements]);
  }

  /** The suspicion about the receiver goes first (Lifeguard's buddy system), then what is under way. */
  #piggyback(node: NodeId): Uint8Array[] {
    const accusation = this.#table.get(node)?.accusationBytes;
    const first = accusation === undefined ? [] : [accusation];
    const budget = PIGGYBACK_BYTES - (accusation === undefined ? 0 : accusation.length + 3);
    return [...first, ...this.#broadcasts.take(budget, this.#count())];
  }

  #send(node: NodeId, trafficClass: TrafficClass, kind: Kind, requestId: number, body: CborValue): void {
    this.#o.send(node, trafficClass, { kind, requestId, body });
  }

  #pick(k: number, fits: (entry: MemberEntry) => boolean): NodeId[] {
    return this.#shuffle(this.#others().filter(fits))
      .slice(0, k)
      .map(({ node }) => node);
  }

  /** Fisher and Yates, with the random port. */
  #shuffle<Item>(items: readonly Item[]): Item[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.#o.random.uint32() % (i + 1);
      const held = order[i] as Item;
      order[i] = order[j] as Item;
      order[j] = held;
    }
    return order;
  }
}

function readStatements(reader: FieldReader, max = 16): Uint8Array[] {
  return reader.list("statements", max, (item) =>
    new FieldReader([item], "a statement").bytes("statement", STATEMENT_MAX + 64, 1),
  );
}
