/**
 * Anti-entropy: two nodes compare digests of their tables and exchange only what differs (docs/spec/membership.md).
 *
 *     asker                                     other
 *       viewDigest(digest per bucket)     ->
 *                                         <-    viewPart(answer, more, differing buckets, statements) ...
 *       viewPart(what the other lacks) ...->
 *
 * AE1. Equal tables cost one digest and one empty answer.
 * AE2. Statements go in parts of at most {@link PART_STATEMENTS}.
 * AE3. A digest of one peer is answered {@link ANSWERS_PER_PEER} times per {@link ANSWER_WINDOW_MS} at most; more are dropped and counted.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Removals } from "../admission/removals.ts";
import type { CborValue } from "../codec/cbor.ts";
import type { FieldReader } from "../codec/reader.ts";
import type { Peer } from "../peers/sessions.ts";
import { BUCKETS } from "./buckets.ts";
import type { Intake } from "./intake.ts";
import { compareVersions, type MemberEntry, type MemberTable, STATE_RANK } from "./member-table.ts";
import type { MembershipOptions } from "./membership-options.ts";
import type { Heard } from "./statement.ts";
import { readStatements } from "./statement-list.ts";
import { VIEW_DIGEST_BYTES, ViewDigest } from "./view-digest.ts";

/** Statements in one part. */
export const PART_STATEMENTS = 512;
/** Exchanges this node began and that are not over. */
export const EXCHANGES_MAX = 64;
/** Digests of one peer that are answered within {@link ANSWER_WINDOW_MS}. */
export const ANSWERS_PER_PEER = 8;
/** Milliseconds. */
export const ANSWER_WINDOW_MS = 5000;
const PEERS_MAX = 4096;
const BITS_BYTES = BUCKETS / 8;

/** What the other side showed so far, and who heard it. */
interface Exchange {
  readonly told: Map<NodeId, { bootEpoch: number; incarnation: number; rank: number }>;
}

/** What anti-entropy works on. */
export interface AntiEntropyParts {
  readonly options: MembershipOptions;
  readonly table: MemberTable;
  readonly removals: Removals;
  readonly intake: Intake;
  readonly observes: boolean;
  shed(): void;
}

/** The exchanges of one node. */
export class AntiEntropy {
  readonly #p: AntiEntropyParts;
  readonly #digest: ViewDigest;
  readonly #exchanges = new Map<NodeId, Exchange>();
  readonly #answered = new Map<NodeId, { sinceMs: number; count: number }>();

  constructor(parts: AntiEntropyParts) {
    this.#p = parts;
    this.#digest = new ViewDigest(parts.table, parts.removals, parts.options.digests);
  }

  /** Compare tables with a node now. */
  begin(node: NodeId): void {
    this.#exchanges.delete(node);
    for (const oldest of this.#exchanges.keys()) {
      if (this.#exchanges.size < EXCHANGES_MAX) break;
      this.#exchanges.delete(oldest);
    }
    this.#exchanges.set(node, { told: new Map() });
    this.#send(node, "viewDigest", [this.#digest.bytes()]);
  }

  /** A digest arrived: answer with what differs (AE1-AE3). */
  compare(peer: Peer, reader: FieldReader): void {
    const theirs = reader.bytes("digest", VIEW_DIGEST_BYTES, VIEW_DIGEST_BYTES);
    reader.end();
    if (this.#p.observes) return;
    if (!this.#mayAnswer(peer.node)) {
      this.#p.shed();
      return;
    }
    const bits = this.#digest.difference(theirs);
    const entries = this.#inBuckets(bits);
    const removed = bucketsOf(bits).flatMap((index) =>
      this.#p.removals.ofBucket(index).map(({ bytes }) => bytes),
    );
    this.#sendParts(peer.node, true, bits, [...removed, ...entries.flatMap(statementsOf)]);
  }

  /** A part arrived. */
  part(peer: Peer, reader: FieldReader): void {
    const answer = reader.bool("answer");
    const more = reader.bool("more");
    const bits = reader.bytes("buckets", BITS_BYTES, BITS_BYTES);
    const statements = readStatements(reader, PART_STATEMENTS);
    reader.end();
    if (peer.role === "client") return;
    const exchange = answer ? this.#exchanges.get(peer.node) : undefined;
    this.#p.intake.offer({
      peer: peer.node,
      statements,
      ...(exchange === undefined ? {} : { read: (heard: Heard) => note(exchange, heard) }),
      ...(answer && !more ? { done: () => this.#complete(peer.node, exchange, bits) } : {}),
    });
  }

  /** Forget a node's exchange. */
  lost(node: NodeId): void {
    this.#exchanges.delete(node);
  }

  #complete(node: NodeId, exchange: Exchange | undefined, bits: Uint8Array): void {
    this.#p.options.heardTable();
    if (exchange === undefined || this.#exchanges.get(node) !== exchange) return;
    this.#exchanges.delete(node);
    if (this.#p.observes) return;
    const statements = this.#inBuckets(bits).flatMap((entry) => lacking(entry, exchange));
    const removed = bucketsOf(bits).flatMap((index) =>
      this.#p.removals.ofBucket(index).map(({ bytes }) => bytes),
    );
    if (removed.length + statements.length > 0)
      this.#sendParts(node, false, bits, [...removed, ...statements]);
  }

  #sendParts(node: NodeId, answer: boolean, bits: Uint8Array, statements: readonly Uint8Array[]): void {
    for (let at = 0; at === 0 || at < statements.length; at += PART_STATEMENTS) {
      const more = at + PART_STATEMENTS < statements.length;
      this.#send(node, "viewPart", [answer, more, bits, statements.slice(at, at + PART_STATEMENTS)]);
    }
  }

  #inBuckets(bits: Uint8Array): MemberEntry[] {
    const { table } = this.#p;
    return bucketsOf(bits).flatMap((index) =>
      [...table.bucket(index)].map((node) => table.get(node) as MemberEntry),
    );
  }

  #mayAnswer(node: NodeId): boolean {
    const nowMs = this.#p.options.clock.monotonicMs();
    const known = this.#answered.get(node);
    if (known !== undefined && nowMs - known.sinceMs < ANSWER_WINDOW_MS)
      return ++known.count <= ANSWERS_PER_PEER;
    if (this.#answered.size >= PEERS_MAX) this.#answered.clear();
    this.#answered.set(node, { sinceMs: nowMs, count: 1 });
    return true;
  }

  #send(node: NodeId, kind: "viewDigest" | "viewPart", body: CborValue): void {
    this.#p.options.send(node, "request", { kind, requestId: 0, body });
  }
}

function bucketsOf(bits: Uint8Array): number[] {
  const set: number[] = [];
  for (let index = 0; index < BUCKETS; index++)
    if (((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0) set.push(index);
  return set;
}

/** The record, and the accusation behind `suspect` and `dead`. */
function statementsOf({ recordBytes, accusationBytes }: MemberEntry): Uint8Array[] {
  return accusationBytes === undefined ? [recordBytes] : [recordBytes, accusationBytes];
}

function note({ told }: Exchange, heard: Heard): void {
  if (heard.type === "record") {
    const { bootEpoch, incarnation, left } = heard.record;
    told.set(heard.node, { bootEpoch, incarnation, rank: left ? STATE_RANK.left : 0 });
  } else if (heard.type === "accusation") {
    const known = told.get(heard.accusation.subject);
    if (known !== undefined) known.rank = Math.max(known.rank, STATE_RANK[heard.accusation.verdict]);
  }
}

/** What the other side does not have of one member. */
function lacking(entry: MemberEntry, { told }: Exchange): Uint8Array[] {
  const known = told.get(entry.node);
  const order = known === undefined ? 1 : compareVersions(entry.record, known);
  if (order > 0) return statementsOf(entry);
  if (order < 0 || known === undefined || STATE_RANK[entry.state] <= known.rank) return [];
  return entry.accusationBytes === undefined ? [entry.recordBytes] : [entry.accusationBytes];
}
