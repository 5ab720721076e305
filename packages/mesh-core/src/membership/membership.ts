/**
 * Who is in the cluster and who seems to run (docs/spec/membership.md): SWIM with memberlist's parameters, Lifeguard's local health
 * and suspicion times, signed statements, anti-entropy and reconnection.
 *
 * M1. Every node that runs and is connected is alive in all views after the timers of its profile.
 * M2. A crashed node becomes dead in all views; a node that left stays left, whatever old rumours say.
 * M3. Only the subject refutes an accusation: with a higher incarnation, signed.
 * M4. Dead members are gossiped to for a while and dialled again from time to time, some of them even after they were forgotten, so a
 *     healed partition merges by itself.
 * M5. A client watches: it pulls tables, accuses nobody and is in nobody's table.
 * M6. What a peer can make this node do is bounded per peer and in all; what is dropped is counted.
 * M7. A node that saves power probes, gossips and exchanges tables {@link PACE_MAX} times less often at most. What it is asked it answers at once, and
 *     how long a suspicion lasts does not change, so others see no difference in it.
 */
import { fromHex, type NodeId } from "@glia-os/abi/ids";
import type { HostPort, Signer, TimerHandle, TrafficClass } from "@glia-os/abi/ports";
import type { Removal } from "../admission/removals.ts";
import type { CborValue } from "../codec/cbor.ts";
import type { Envelope, Kind } from "../codec/envelope.ts";
import { FieldReader } from "../codec/reader.ts";
import type { Member } from "../mesh-types.ts";
import type { Peer } from "../peers/sessions.ts";
import { Allowance } from "./allowance.ts";
import { AntiEntropy } from "./anti-entropy.ts";
import { Awareness } from "./awareness.ts";
import { BroadcastQueue } from "./broadcast-queue.ts";
import { Deadlines } from "./deadlines.ts";
import { FormerMembers } from "./former-members.ts";
import { GossipMeter } from "./gossip-meter.ts";
import { Hearing } from "./hearing.ts";
import { Intake } from "./intake.ts";
import { type MemberEntry, MemberTable, memberView } from "./member-table.ts";
import type { MembershipOptions } from "./membership-options.ts";
import { Probes } from "./probe.ts";
import { type QuorumState, QuorumWatch, quorumOf } from "./quorum.ts";
import { readStatements } from "./statement-list.ts";

/** Bytes of statements in one datagram: what 1200 leave after the header and the longest fixed fields. */
const PIGGYBACK_BYTES = 1120;
/** Above so many live members some are drawn at random; below, all are shuffled. */
const DRAW_ABOVE = 64;
/** A client pulls a table this often, in milliseconds. */
export const CLIENT_PULL_MS = 1000;

/** The slowest a node may be, as a multiple of the intervals of its profile (M7): the power of a fifth. */
export const PACE_MAX = 5;

const KINDS_OF_MEMBERSHIP: ReadonlySet<Kind> = new Set([
  "ping",
  "ack",
  "pingReq",
  "nack",
  "gossip",
  "viewDigest",
  "viewPart",
]);

/** Whether a kind of message is for this machine. */
export function isMembershipKind(kind: Kind): boolean {
  return KINDS_OF_MEMBERSHIP.has(kind);
}

/** The membership machine of one node. */
export class Membership {
  readonly #o: MembershipOptions;
  readonly #table = new MemberTable();
  readonly #broadcasts: BroadcastQueue;
  readonly #awareness: Awareness;
  readonly #probes: Probes;
  readonly #hearing: Hearing;
  readonly #intake: Intake;
  readonly #antiEntropy: AntiEntropy;
  readonly #allowance = new Allowance();
  readonly #quorum: QuorumWatch;
  readonly #meter: GossipMeter;
  readonly #observes: boolean;
  readonly #former = new FormerMembers();
  readonly #timers = new Map<string, TimerHandle>();
  #round: NodeId[] = [];
  #raisedMs = Number.NEGATIVE_INFINITY;
  #pace = 1;
  #running = false;

  constructor(options: MembershipOptions) {
    this.#o = options;
    const { parameters, removals } = options;
    this.#observes = options.role === "client";
    this.#broadcasts = new BroadcastQueue(parameters.retransmitMult, () => this.#beginGossip());
    this.#awareness = new Awareness(parameters.awarenessMax);
    this.#quorum = new QuorumWatch(2 * parameters.probeIntervalMs);
    this.#meter = new GossipMeter(options.meter, options.name);
    const deadlines = new Deadlines({
      ...options,
      toleranceMs: parameters.probeTimeoutMs / 2,
      late: () => this.#stalled(),
    });
    this.#probes = this.#buildProbes(deadlines);
    const shared = { options, table: this.#table, removals, observes: this.#observes };
    this.#hearing = new Hearing({
      ...shared,
      broadcasts: this.#broadcasts,
      awareness: this.#awareness,
      deadlines,
      changed: () => this.#meter.count("membership_updates_total"),
      forgotten: ({ node, record }) => this.#former.keep(node, record.address),
    });
    this.#intake = new Intake({
      timers: options.timers,
      hear: (statement) => this.#hearing.hear(statement),
      verifications: () => options.statements.verifications,
      refused: (peer, error) => options.refuse(peer, error),
      shed: (count) => this.#meter.shed("statement", count),
    });
    this.#antiEntropy = new AntiEntropy({
      ...shared,
      intake: this.#intake,
      shed: () => this.#meter.shed("digest"),
    });
  }

  /** Local health (0 is well). */
  get healthScore(): number {
    return this.#awareness.score;
  }

  /** The least local health may be from now on. */
  set healthFloor(score: number) {
    this.#awareness.floor = score;
  }

  /** How many times longer the intervals are from the next of each on: 1 to {@link PACE_MAX}, cut to that (M7). */
  set pace(times: number) {
    this.#pace = Math.max(1, Math.min(PACE_MAX, times));
  }

  /** Whether a majority is out of reach, as last told. */
  get quorumLost(): boolean {
    return this.#quorum.state === "lost";
  }

  /** How much of the cluster is in reach, as last told. */
  get quorumState(): QuorumState {
    return this.#quorum.state;
  }

  /** Begin: this node's record and every timer. */
  start(): void {
    this.#running = true;
    const { probeIntervalMs, pushPullIntervalMs, reconnectIntervalMs } = this.#o.parameters;
    if (this.#observes) {
      this.#every("pull", CLIENT_PULL_MS, () => this.#pull());
      return;
    }
    this.#hearing.announce(false);
    this.#beginGossip();
    this.#every("probe", probeIntervalMs, () => this.#probeNext());
    this.#every("push-pull", pushPullIntervalMs, () => this.#pull());
    this.#every("reconnect", reconnectIntervalMs, () => this.#reconnect());
    this.#every("watch", probeIntervalMs, () => this.#watch());
  }

  /** Tell the members that this node goes, and end. */
  leave(): void {
    if (!this.#running) return;
    if (!this.#observes) {
      this.#hearing.announce(true);
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
    this.#hearing.stop();
    this.#intake.stop();
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  /** Grows with every change of the table. */
  get revision(): number {
    return this.#table.revision;
  }

  /** Every member, this node first, then by id. */
  members(): Member[] {
    const order = (entry: MemberEntry): string => (entry.node === this.#o.self ? "" : entry.node);
    return this.#table
      .all()
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
      .map(memberView);
  }

  /** Members that changed after {@link revision} was this, in no order: 0 gives all. Costs less than {@link members}. */
  changedSince(revision: number): Iterable<Pick<MemberEntry, "node" | "record" | "state">> {
    return this.#table.changedSince(revision);
  }

  /** One member. */
  member(node: NodeId): Member | undefined {
    const entry = this.#table.get(node);
    return entry === undefined ? undefined : memberView(entry);
  }

  /** When a peer last said something of this protocol that was handled; undefined before it did. */
  heardMs(node: NodeId): number | undefined {
    return this.#allowance.lastMs(node);
  }

  /** Where a member listens, or listened when it was forgotten. */
  addressOf(node: NodeId): HostPort | undefined {
    return this.#table.get(node)?.record.address ?? this.#former.address(node);
  }

  /** Compare tables with a node now. */
  exchange(node: NodeId): void {
    this.#meter.count("state_syncs_total");
    this.#antiEntropy.begin(node);
  }

  /** Tell a contact that this node is here, then compare tables. */
  introduce(node: NodeId): void {
    const record = this.#table.get(this.#o.self)?.recordBytes;
    if (record !== undefined) this.#send(node, "request", "gossip", 0, [[record]]);
    this.exchange(node);
  }

  /** This node has a new certificate: say so. */
  certificateChanged(): void {
    if (this.#running && !this.#observes) this.#hearing.renew();
  }

  /** Tell everybody of a new cluster key. */
  spreadSuccession(succession: Uint8Array): void {
    this.#broadcasts.add("succession", this.#o.statements.succession(succession));
  }

  /** Remove a node with the cluster key. */
  remove(clusterSigner: Signer, removal: Removal): void {
    const heard = this.#o.statements.read(this.#o.statements.signRemoval(clusterSigner, removal));
    if (heard.type === "removal") this.#hearing.remove(heard);
  }

  /** A session ended: that member is probed next, out of turn. */
  sessionLost(node: NodeId): void {
    this.#antiEntropy.lost(node);
    const entry = this.#table.get(node);
    if (!this.#running || this.#observes || entry === undefined || node === this.#o.self) return;
    if (entry.state === "alive") this.#probes.start(node, this.#probeIntervalMs());
  }

  /** One message of this protocol. @throws {MalformedMessageError}: the session is closed then. */
  receive(peer: Peer, trafficClass: TrafficClass, { kind, requestId, body }: Envelope): void {
    if (!this.#running) return;
    if (!this.#allowance.take(peer.node, this.#o.clock.monotonicMs())) {
      this.#meter.shed("message");
      return;
    }
    const reader = new FieldReader(body, `a ${kind}`);
    if (kind === "viewDigest") this.#antiEntropy.compare(peer, reader);
    else if (kind === "viewPart") this.#antiEntropy.part(peer, reader);
    else this.#receiveProbe(peer, trafficClass, kind, requestId, reader);
  }

  #receiveProbe(
    { node, role }: Peer,
    trafficClass: TrafficClass,
    kind: Kind,
    seq: number,
    reader: FieldReader,
  ): void {
    const target = kind === "pingReq" ? reader.node("target") : undefined;
    const statements = readStatements(reader);
    reader.end();
    // Only members may speak about members; a client's ping is answered, its statements are not heard.
    if (role !== "client" && statements.length > 0) this.#intake.offer({ peer: node, statements });
    if (kind === "ping") {
      this.#meter.count("heartbeats_received_total");
      this.#say(node, "ack", seq, [], trafficClass === "request" ? "request" : "datagram");
    } else if (kind === "ack") this.#probes.acknowledged(node, seq);
    else if (kind === "nack") this.#probes.nacked(seq);
    // Asked to probe itself, a node has the answer.
    else if (target === this.#o.self) this.#say(node, "ack", seq, []);
    else if (target !== undefined) this.#probes.relay(node, seq, target);
    this.#tellTheDead(node);
  }

  #buildProbes(deadlines: Deadlines): Probes {
    const { parameters, clock, timers, random } = this.#o;
    return new Probes(
      {
        parameters,
        clock,
        timers,
        deadlines,
        ping: (node, seq, trafficClass) => {
          this.#meter.count("heartbeats_sent_total");
          this.#say(node, "ping", seq, [], trafficClass);
        },
        pingReq: (helper, seq, target) => this.#say(helper, "pingReq", seq, [fromHex(target)]),
        ack: (node, seq) => this.#say(node, "ack", seq, []),
        nack: (node, seq) => this.#say(node, "nack", seq, []),
        helpers: (target, k) => this.#pick(k, ({ node, state }) => node !== target && state === "alive"),
        succeeded: (_target, roundTripMs) => {
          this.#meter.round(roundTripMs);
          this.#awareness.adjust(-1);
        },
        failed: (target, helpers, missing) => this.#probeFailed(target, helpers, missing),
      },
      random.uint32(),
    );
  }

  #others(): MemberEntry[] {
    return this.#table.live().filter(({ node }) => node !== this.#o.self);
  }

  /** Lifeguard: a node that is unwell probes less often, and waits longer before it accuses. */
  #probeIntervalMs(): number {
    return this.#o.parameters.probeIntervalMs * (this.#awareness.score + 1);
  }

  #every(
    name: "probe" | "push-pull" | "reconnect" | "watch" | "pull",
    everyMs: number,
    run: () => void,
  ): void {
    const slows = name !== "watch" && name !== "pull";
    const delayMs = (): number =>
      (name === "probe" ? this.#probeIntervalMs() : everyMs) * (slows ? this.#pace : 1);
    const options = { toleranceMs: everyMs / 2 };
    const tick = (): void => {
      this.#timers.set(name, this.#o.timers.schedule(delayMs(), tick, options));
      run();
    };
    this.#timers.set(name, this.#o.timers.schedule(this.#partOf(delayMs()), tick, options));
  }

  /** A random first delay, so that nodes that start together do not speak together. */
  #partOf(delayMs: number): number {
    return (delayMs * (this.#o.random.uint32() >>> 8)) / 0x100_0000;
  }

  /** There is something to spread. Gossip ticks only then: at rest a node wakes up for its probes alone. */
  #beginGossip(): void {
    if (!this.#running || this.#observes || this.#timers.has("gossip")) return;
    const { gossipIntervalMs } = this.#o.parameters;
    const tick = (): void => {
      this.#timers.delete("gossip");
      if (this.#broadcasts.size === 0) return;
      this.#timers.set("gossip", this.#o.timers.schedule(gossipIntervalMs * this.#pace, tick));
      this.#gossip();
    };
    this.#timers.set("gossip", this.#o.timers.schedule(this.#partOf(gossipIntervalMs), tick));
  }

  /** This node stalled: it is less sure of its judgement, once per probe interval. */
  #stalled(): void {
    const nowMs = this.#o.clock.monotonicMs();
    if (nowMs - this.#raisedMs < this.#o.parameters.probeIntervalMs) return;
    this.#raisedMs = nowMs;
    this.#awareness.adjust(1);
  }

  #probeNext(): void {
    while (this.#round.length > 0) {
      const entry = this.#table.get(this.#round.pop() as NodeId);
      if (entry === undefined || (entry.state !== "alive" && entry.state !== "suspect")) continue;
      this.#probes.start(entry.node, this.#probeIntervalMs());
      return;
    }
    this.#round = this.#shuffle(this.#others().map(({ node }) => node));
    if (this.#round.length > 0) this.#probeNext();
  }

  #probeFailed(target: NodeId, helpers: number, missingNacks: number): void {
    this.#meter.count("failed_rounds_total");
    this.#awareness.adjust(helpers === 0 ? 1 : missingNacks);
    this.#hearing.suspect(target);
  }

  /** Forget the long dead, count, and look whether a majority is in reach. */
  #watch(): void {
    const nowMs = this.#o.clock.monotonicMs();
    this.#hearing.forgetBefore(nowMs - this.#o.parameters.forgetAfterMs);
    this.#meter.sizes(this.#table, this.#awareness.score);
    const view = quorumOf(this.#table.tally);
    const state = this.#quorum.look(view, nowMs);
    if (state === undefined) return;
    const { reachable, known } = view;
    const kind = state === "whole" ? "healed" : state === "lost" ? "quorumLost" : "partition";
    this.#o.emit({ kind, reachable, known });
  }

  /** A member believed dead or suspect that speaks is told so, and can refute at once; not more often than once per probe timeout. */
  #tellTheDead(node: NodeId): void {
    const entry = this.#table.get(node);
    if (entry?.accusationBytes === undefined) return;
    const nowMs = this.#o.clock.monotonicMs();
    if (nowMs - entry.toldMs < this.#o.parameters.probeTimeoutMs) return;
    entry.toldMs = nowMs;
    this.#send(node, "datagram", "gossip", 0, [[entry.accusationBytes]]);
  }

  #gossip(): void {
    const { gossipNodes, gossipToTheDeadMs } = this.#o.parameters;
    const sinceMs = this.#o.clock.monotonicMs() - gossipToTheDeadMs;
    const targets = this.#pick(gossipNodes, () => true);
    const [dead] =
      this.#table.count("dead") === 0
        ? []
        : this.#shuffle(this.#dead().filter(({ changedMs }) => changedMs > sinceMs));
    // One of those that died lately is told too: it may be wrong.
    if (dead !== undefined) targets.push(dead.node);
    for (const target of targets) {
      const statements = this.#piggyback(target);
      if (statements.length > 0) this.#send(target, "datagram", "gossip", 0, [statements]);
    }
  }

  #pull(): void {
    for (const node of this.#pick(1, ({ state }) => state === "alive")) this.exchange(node);
  }

  #reconnect(): void {
    this.#former.drop((node) => this.#table.get(node) !== undefined);
    const [chosen] = this.#shuffle([...this.#dead().map(({ node }) => node), ...this.#former.nodes()]);
    if (chosen !== undefined) this.exchange(chosen);
  }

  #dead(): MemberEntry[] {
    return this.#table.gone().filter(({ state }) => state === "dead");
  }

  #say(
    node: NodeId,
    kind: Kind,
    seq: number,
    fields: CborValue[],
    trafficClass: TrafficClass = "datagram",
  ): void {
    const statements = this.#observes ? [] : this.#piggyback(node);
    this.#send(node, trafficClass, kind, seq, [...fields, statements]);
  }

  /** The suspicion about the receiver goes first (Lifeguard's buddy system), then what is under way. */
  #piggyback(node: NodeId): Uint8Array[] {
    const accusation = this.#table.get(node)?.accusationBytes;
    const first = accusation === undefined ? [] : [accusation];
    const budget = PIGGYBACK_BYTES - (accusation === undefined ? 0 : accusation.length + 3);
    return [...first, ...this.#broadcasts.take(budget, this.#table.live().length)];
  }

  #send(node: NodeId, trafficClass: TrafficClass, kind: Kind, requestId: number, body: CborValue): void {
    this.#o.send(node, trafficClass, { kind, requestId, body });
  }

  /** Up to k other live members, each set of them as likely. In a large table by drawing, since most fit. */
  #pick(k: number, fits: (entry: MemberEntry) => boolean): NodeId[] {
    const live = this.#table.live();
    const drawn = new Set<NodeId>();
    for (let tries = 0; live.length > DRAW_ABOVE && tries < 4 * k && drawn.size < k; tries++) {
      const entry = live[this.#o.random.uint32() % live.length] as MemberEntry;
      if (entry.node !== this.#o.self && fits(entry)) drawn.add(entry.node);
    }
    if (drawn.size === k) return [...drawn];
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
