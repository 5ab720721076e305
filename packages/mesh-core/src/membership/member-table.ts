/**
 * The members one node knows, and how statements change them (docs/spec/membership.md).
 *
 * MT1. Per member, (boot epoch, incarnation) never decreases.
 * MT2. A record replaces what is known only with a higher (boot epoch, incarnation), or as `left` with the same one.
 * MT3. An accusation counts only for exactly the known (boot epoch, incarnation): it cannot push a member's incarnation up. Dead beats
 *      suspect beats alive; left beats all.
 * MT4. Staleness is judged before a signature is verified.
 * MT5. At most {@link MEMBERS_MAX} members; more are refused.
 * MT6. Every change of a row changes the version of its bucket.
 * MT7. Counts and the list of live members are kept as rows change: no question that is asked per message passes over the table.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Certificate } from "../admission/certificate.ts";
import type { Member, MemberState } from "../mesh-types.ts";
import { BUCKETS, bucketOf } from "./buckets.ts";
import { Tally } from "./quorum.ts";
import type { Accusation, MemberRecord } from "./statement.ts";
import type { Suspicion } from "./suspicion.ts";

/** Members one node keeps, dead ones included. */
export const MEMBERS_MAX = 16_384;

/** One row. */
export interface MemberEntry {
  readonly node: NodeId;
  readonly certificate: Certificate;
  readonly record: MemberRecord;
  /** The signed record, to pass on. */
  readonly recordBytes: Uint8Array;
  readonly state: MemberState;
  /** The accusation behind `suspect` or `dead`, to pass on. */
  readonly accusationBytes: Uint8Array | undefined;
  suspicion: Suspicion | undefined;
  readonly changedMs: number;
  /** When it was last told of its accusation. */
  toldMs: number;
  /** What a view's digest covers of it, once it was asked for. */
  digested: Uint8Array | undefined;
  /** The table's revision that this row came with. */
  revision: number;
}

/** The order of states: a higher one beats a lower one of the same version. */
export const STATE_RANK: Readonly<Record<MemberState, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

/** The table. */
export class MemberTable {
  readonly #entries = new Map<NodeId, MemberEntry>();
  readonly #buckets: Set<NodeId>[] = Array.from({ length: BUCKETS }, () => new Set());
  readonly #versions = new Float64Array(BUCKETS);
  /** How many there are in each state. */
  readonly tally: Tally = new Tally();
  /** Live rows, in no order, and where each one is (MT7). */
  readonly #live: MemberEntry[] = [];
  readonly #liveAt = new Map<NodeId, number>();
  readonly #gone = new Map<NodeId, MemberEntry>();
  #revision = 0;

  get(node: NodeId): MemberEntry | undefined {
    return this.#entries.get(node);
  }

  /** Grows with every change. */
  get revision(): number {
    return this.#revision;
  }

  /** Rows. */
  get size(): number {
    return this.#entries.size;
  }

  /** All rows, in the order they became known. */
  all(): MemberEntry[] {
    return [...this.#entries.values()];
  }

  /** Rows that changed after the table had a revision, in the order they became known; O(rows). Rows that were forgotten are not among them. */
  *changedSince(revision: number): Iterable<MemberEntry> {
    for (const entry of this.#entries.values()) if (entry.revision > revision) yield entry;
  }

  /** Members thought to run: alive or suspect, in no order. It changes with the table: copy it to keep it. */
  live(): readonly MemberEntry[] {
    return this.#live;
  }

  /** Rows of those that are dead or left; O(their number). */
  gone(): MemberEntry[] {
    return [...this.#gone.values()];
  }

  /** Rows in a state. */
  count(state: MemberState): number {
    return this.tally.all[state];
  }

  /** Nodes of a bucket, in no order. */
  bucket(index: number): ReadonlySet<NodeId> {
    return this.#buckets[index] ?? new Set();
  }

  /** Changes with the bucket (MT6). */
  version(index: number): number {
    return this.#versions[index] ?? 0;
  }

  /** Whether a record says anything new (MT2, MT4, MT5). */
  wants(node: NodeId, record: MemberRecord): boolean {
    const known = this.#entries.get(node);
    if (known === undefined) return this.#entries.size < MEMBERS_MAX;
    const order = compareVersions(record, known.record);
    return order > 0 || (order === 0 && record.left && known.state !== "left");
  }

  /** Put a verified record; returns the state before, undefined for a new member. */
  put(
    certificate: Certificate,
    record: MemberRecord,
    recordBytes: Uint8Array,
    nowMs: number,
  ): MemberState | undefined {
    const { node } = certificate;
    const before = this.#entries.get(node)?.state;
    this.#set({
      node,
      certificate,
      record,
      recordBytes,
      state: record.left ? "left" : "alive",
      accusationBytes: undefined,
      suspicion: undefined,
      changedMs: nowMs,
      toldMs: Number.NEGATIVE_INFINITY,
      digested: undefined,
      revision: 0,
    });
    return before;
  }

  /** Note a verified accusation; the row as it is then. */
  accuse(
    entry: MemberEntry,
    verdict: "suspect" | "dead",
    accusationBytes: Uint8Array,
    nowMs: number,
  ): MemberEntry {
    const news = { state: verdict, accusationBytes, suspicion: undefined, changedMs: nowMs };
    const changed = { ...entry, ...news, digested: undefined };
    this.#set(changed);
    return changed;
  }

  /** The row an accusation would change or confirm (MT3, MT4). */
  accused({ subject, bootEpoch, incarnation, verdict }: Accusation): MemberEntry | undefined {
    const entry = this.#entries.get(subject);
    if (entry === undefined) return undefined;
    if (entry.record.bootEpoch !== bootEpoch || entry.record.incarnation !== incarnation) return undefined;
    const confirms = verdict === "suspect" && entry.state === "suspect";
    return confirms || STATE_RANK[verdict] > STATE_RANK[entry.state] ? entry : undefined;
  }

  /** Forget a row. */
  forget(node: NodeId): void {
    const entry = this.#entries.get(node);
    if (entry === undefined) return;
    this.#entries.delete(node);
    this.tally.count(entry.certificate.role, entry.state, -1);
    this.#unlist(node);
    this.#gone.delete(node);
    this.#buckets[bucketOf(node)]?.delete(node);
    this.touch(node);
  }

  /** Something that belongs to a node's bucket changed (MT6). */
  touch(node: NodeId): void {
    const index = bucketOf(node);
    this.#versions[index] = this.version(index) + 1;
    this.#revision++;
  }

  #set(entry: MemberEntry): void {
    const known = this.#entries.get(entry.node);
    if (known !== undefined) this.tally.count(known.certificate.role, known.state, -1);
    this.#entries.set(entry.node, entry);
    this.tally.count(entry.certificate.role, entry.state);
    if (entry.state === "alive" || entry.state === "suspect") this.#list(entry);
    else {
      this.#unlist(entry.node);
      this.#gone.set(entry.node, entry);
    }
    this.#buckets[bucketOf(entry.node)]?.add(entry.node);
    this.touch(entry.node);
    entry.revision = this.#revision;
  }

  #list(entry: MemberEntry): void {
    const at = this.#liveAt.get(entry.node) ?? this.#live.length;
    this.#live[at] = entry;
    this.#liveAt.set(entry.node, at);
    this.#gone.delete(entry.node);
  }

  /** The last one takes its place. */
  #unlist(node: NodeId): void {
    const at = this.#liveAt.get(node);
    const last = this.#live.at(-1);
    if (at === undefined || last === undefined) return;
    this.#live[at] = last;
    this.#liveAt.set(last.node, at);
    this.#live.pop();
    this.#liveAt.delete(node);
  }
}

/** Negative, zero or positive as `a` is older than, the same as or newer than `b`. */
export function compareVersions(
  a: Pick<MemberRecord, "bootEpoch" | "incarnation">,
  b: Pick<MemberRecord, "bootEpoch" | "incarnation">,
): number {
  return a.bootEpoch - b.bootEpoch || a.incarnation - b.incarnation;
}

/** The public view of a row. */
export function memberView({ node, certificate, record, state }: MemberEntry): Member {
  return {
    node,
    publicKey: certificate.nodeKey,
    role: certificate.role,
    name: record.name,
    address: record.address,
    bootEpoch: record.bootEpoch,
    incarnation: record.incarnation,
    state,
  };
}
