/**
 * The routing table of one node: a bucket per length of shared prefix (docs/spec/kademlia.md).
 *
 * RT1. A bucket has at most k contacts, least recently seen first. A newcomer never displaces one that still answers: the oldest is
 *      pinged, and only its silence makes room (Kademlia, section 2.2).
 * RT2. Newcomers of a full bucket wait, at most k per bucket, newest preferred.
 * RT3. At most {@link GROUP_IN_BUCKET_MAX} contacts per bucket and {@link GROUP_IN_TABLE_MAX} per table belong to one address group.
 * RT4. Only peers that spoke for themselves are put here, never hearsay: dead peers do not come back by being mentioned.
 * RT5. This node is never in its own table.
 */
import type { NodeId } from "@glia-os/abi/ids";
import { addressGroup, type DiversityScope } from "./address-group.ts";
import type { Contact } from "./contact.ts";
import { compareDistance, KEY_BITS, type KeyWords, sharedPrefixBits, wordsOf } from "./distance.ts";

/** Contacts of one address group in one bucket. */
export const GROUP_IN_BUCKET_MAX = 2;
/** Contacts of one address group in the table. */
export const GROUP_IN_TABLE_MAX = 3;
/** Failures in a row after which a contact is dropped. */
export const FAILURES_MAX = 2;

interface Bucket {
  contacts: Contact[];
  waiting: Contact[];
  touchedMs: number;
  /** The oldest is being pinged. */
  checking: boolean;
}

/** What became of an observation. */
export type Observed =
  | { readonly kind: "kept" | "refused" | "waiting" }
  /** The bucket is full: ping `oldest`, then call `answered` or `failed`. */
  | { readonly kind: "check"; readonly oldest: Contact };

/** The table. */
export class RoutingTable {
  readonly #self: NodeId;
  readonly #words: KeyWords;
  readonly #k: number;
  readonly #scope: DiversityScope;
  readonly #buckets = new Map<number, Bucket>();
  readonly #groups = new Map<string, number>();
  readonly #failures = new Map<NodeId, number>();
  #size = 0;

  constructor(self: NodeId, k: number, scope: DiversityScope) {
    this.#self = self;
    this.#words = wordsOf(self);
    this.#k = k;
    this.#scope = scope;
  }

  /** Contacts in buckets. */
  get size(): number {
    return this.#size;
  }

  /** Whether a node is in a bucket. */
  has(node: NodeId): boolean {
    return this.get(node) !== undefined;
  }

  /** A contact. */
  get(node: NodeId): Contact | undefined {
    return this.#buckets.get(this.#index(wordsOf(node)))?.contacts.find((one) => one.node === node);
  }

  /** All contacts, nearest bucket last. */
  all(): Contact[] {
    return [...this.#buckets.values()].flatMap(({ contacts }) => contacts);
  }

  /** A peer spoke for itself (RT4). O(k). */
  observe(contact: Contact, nowMs: number): Observed {
    if (contact.node === this.#self) return { kind: "refused" };
    const bucket = this.#bucket(this.#index(contact.words), nowMs);
    this.#failures.delete(contact.node);
    const at = bucket.contacts.findIndex(({ node }) => node === contact.node);
    if (at >= 0) return this.#seenAgain(bucket, at, contact);
    if (!this.#fits(bucket, contact)) return { kind: "refused" };
    if (bucket.contacts.length < this.#k) {
      this.#add(bucket, contact);
      return { kind: "kept" };
    }
    bucket.waiting = bucket.waiting.filter(({ node }) => node !== contact.node);
    bucket.waiting.push(contact);
    if (bucket.waiting.length > this.#k) bucket.waiting.shift();
    const oldest = bucket.contacts[0];
    if (bucket.checking || oldest === undefined) return { kind: "waiting" };
    bucket.checking = true;
    return { kind: "check", oldest };
  }

  /** A contact did not answer; it goes after {@link FAILURES_MAX} times in a row, at once when it was being checked (RT1). */
  failed(node: NodeId): void {
    const bucket = this.#buckets.get(this.#index(wordsOf(node)));
    const failures = (this.#failures.get(node) ?? 0) + 1;
    const checked = bucket?.checking === true && bucket.contacts[0]?.node === node;
    if (checked || failures >= FAILURES_MAX) this.remove(node);
    else if (bucket?.contacts.some((one) => one.node === node) === true) this.#failures.set(node, failures);
  }

  /** A contact is known to be gone: the newest that waits and fits takes its place (RT2). */
  remove(node: NodeId): void {
    this.#failures.delete(node);
    const bucket = this.#buckets.get(this.#index(wordsOf(node)));
    if (bucket === undefined) return;
    bucket.waiting = bucket.waiting.filter((one) => one.node !== node);
    const at = bucket.contacts.findIndex((one) => one.node === node);
    if (at < 0) return;
    if (at === 0) bucket.checking = false;
    const [gone] = bucket.contacts.splice(at, 1);
    if (gone !== undefined) this.#count(gone, -1);
    for (let i = bucket.waiting.length - 1; i >= 0; i--) {
      const next = bucket.waiting[i] as Contact;
      if (!this.#fits(bucket, next)) continue;
      bucket.waiting.splice(i, 1);
      this.#add(bucket, next);
      return;
    }
  }

  /** The `count` contacts nearest to a key. O(contacts looked at * log). */
  closest(target: KeyWords, count: number): Contact[] {
    const shared = sharedPrefixBits(this.#words, target);
    const found: Contact[] = [];
    const take = (group: Contact[]): boolean => {
      found.push(...group.sort((a, b) => compareDistance(target, a.words, b.words)));
      return found.length >= count;
    };
    // Those in the target's own bucket share more bits with it than all nearer to this node, and these more than all farther ones.
    if (take([...(this.#buckets.get(shared)?.contacts ?? [])])) return found.slice(0, count);
    const near = [...this.#buckets].filter(([index]) => index > shared);
    if (take(near.flatMap(([, { contacts }]) => contacts))) return found.slice(0, count);
    for (let index = shared - 1; index >= 0; index--)
      if (take([...(this.#buckets.get(index)?.contacts ?? [])])) break;
    return found.slice(0, count);
  }

  /** Note that a lookup passed through the bucket of a key. */
  touch(target: KeyWords, nowMs: number): void {
    const bucket = this.#buckets.get(this.#index(target));
    if (bucket !== undefined) bucket.touchedMs = nowMs;
  }

  /** Buckets that no lookup passed through since `beforeMs`, by shared bits: those in use, and the first one beyond them. */
  idleBuckets(beforeMs: number): number[] {
    const used = [...this.#buckets].filter(([, { contacts }]) => contacts.length > 0);
    return used
      .filter(([, { touchedMs }]) => touchedMs <= beforeMs)
      .map(([index]) => index)
      .sort((a, b) => a - b);
  }

  #seenAgain(bucket: Bucket, at: number, contact: Contact): Observed {
    const known = bucket.contacts[at] as Contact;
    if (at === 0) bucket.checking = false;
    bucket.contacts.splice(at, 1);
    this.#count(known, -1);
    // An address that moved into a full group is not taken over: the old one stays.
    this.#add(bucket, this.#fits(bucket, contact) ? contact : known);
    return { kind: "kept" };
  }

  #add(bucket: Bucket, contact: Contact): void {
    bucket.contacts.push(contact);
    this.#count(contact, 1);
  }

  #count(contact: Contact, by: 1 | -1): void {
    this.#size += by;
    const group = addressGroup(contact.address.host, this.#scope);
    if (group === undefined) return;
    const left = (this.#groups.get(group) ?? 0) + by;
    if (left > 0) this.#groups.set(group, left);
    else this.#groups.delete(group);
  }

  #fits(bucket: Bucket, contact: Contact): boolean {
    const group = addressGroup(contact.address.host, this.#scope);
    if (group === undefined) return true;
    if ((this.#groups.get(group) ?? 0) >= GROUP_IN_TABLE_MAX) return false;
    let inBucket = 0;
    for (const { address } of bucket.contacts)
      if (addressGroup(address.host, this.#scope) === group) inBucket++;
    return inBucket < GROUP_IN_BUCKET_MAX;
  }

  #index(words: KeyWords): number {
    return Math.min(KEY_BITS - 1, sharedPrefixBits(this.#words, words));
  }

  #bucket(index: number, nowMs: number): Bucket {
    const known = this.#buckets.get(index);
    if (known !== undefined) return known;
    const bucket = { contacts: [], waiting: [], touchedMs: nowMs, checking: false };
    this.#buckets.set(index, bucket);
    return bucket;
  }
}
