/**
 * Statements on their way to everybody by piggyback (SWIM, Das et al. 2002, section 4.1; limits as in memberlist).
 *
 * B1. One statement per subject: a newer one replaces an older one.
 * B2. A statement is handed out `retransmitMult * ceil(log10(n + 1))` times, fewest-sent first, then forgotten.
 * B3. What is handed out fits the byte budget it is asked for. What does not fit is passed over, at most {@link SKIPS_MAX} times per message;
 *     it keeps its place, and comes first in a message with more room.
 * B4. Hearing a statement from somebody else counts as handing it out once: what everybody has already is not repeated for long (counters
 *     with feedback; Demers et al., "Epidemic algorithms for replicated database maintenance", 1987, section 1.4).
 */
import { sameBytes } from "../codec/ascii.ts";
import { log10Ceiling } from "./logarithm.ts";

/** Bytes a statement takes in a message beyond its own. */
const ITEM_OVERHEAD_BYTES = 3;
/** No statement is smaller: a budget below it ends the search. */
const SMALLEST_BYTES = 40;
/** Statements that do not fit before the search for smaller ones ends: a message costs what it takes, not what waits. */
export const SKIPS_MAX = 16;
/** Subjects with a statement under way. */
export const BROADCASTS_MAX = 16_384;

/** A statement under way; a link of the list of those that were sent as often. */
interface Link {
  readonly subject: string;
  statement: Uint8Array;
  sent: number;
  before: Link;
  after: Link;
}

/** The queue of one node. Moving a statement on costs one look-up and no allocation: it happens with every statement of every message. */
export class BroadcastQueue {
  readonly #retransmitMult: number;
  readonly #links = new Map<string, Link>();
  /** By how often they were sent: the ends of a ring each, the oldest behind it. */
  readonly #tiers: Link[] = [];
  readonly #began: () => void;

  /** `began` is called when there is something to spread again. */
  constructor(retransmitMult: number, began: () => void = () => undefined) {
    this.#retransmitMult = retransmitMult;
    this.#began = began;
  }

  /** Statements under way. */
  get size(): number {
    return this.#links.size;
  }

  /** Spread a statement about `subject` (B1). When full, the most-sent one gives way: anti-entropy still carries it. */
  add(subject: string, statement: Uint8Array): void {
    const known = this.#links.get(subject);
    if (known !== undefined) this.#drop(known);
    if (this.#links.size >= BROADCASTS_MAX) this.#dropMostSent();
    const ring = this.#tier(0);
    const link: Link = { subject, statement, sent: 0, before: ring, after: ring };
    this.#links.set(subject, link);
    append(ring, link);
    if (this.#links.size === 1) this.#began();
  }

  /** Up to `budget` bytes of statements for one message in a cluster of `members` (B2, B3); O(taken + tiers + {@link SKIPS_MAX}). */
  take(budget: number, members: number): Uint8Array[] {
    if (this.#links.size === 0) return [];
    const limit = this.#limit(members);
    const taken = this.#fitting(budget);
    for (const link of taken) this.#moveOn(link, limit);
    return taken.map(({ statement }) => statement);
  }

  /** Somebody else spreads the same statement (B4); O(its bytes). */
  heard(subject: string, statement: Uint8Array, members: number): void {
    const link = this.#links.get(subject);
    if (link === undefined) return;
    if (link.statement !== statement && !sameBytes(link.statement, statement)) return;
    this.#moveOn(link, this.#limit(members));
  }

  #limit(members: number): number {
    return this.#retransmitMult * Math.max(1, log10Ceiling(members + 1));
  }

  /** What fits, fewest-sent first. */
  #fitting(budget: number): Link[] {
    const taken: Link[] = [];
    let left = budget;
    let skips = 0;
    for (const ring of this.#tiers)
      for (let link = ring.after; link !== ring; link = link.after) {
        if (left < SMALLEST_BYTES || skips > SKIPS_MAX) return taken;
        if (link.statement.length + ITEM_OVERHEAD_BYTES > left) skips++;
        else {
          left -= link.statement.length + ITEM_OVERHEAD_BYTES;
          taken.push(link);
        }
      }
    return taken;
  }

  /** One was sent once more: it is the last of those that were sent so often, or done. */
  #moveOn(link: Link, limit: number): void {
    if (link.sent + 1 >= limit) {
      this.#drop(link);
      return;
    }
    unlink(link);
    link.sent++;
    append(this.#tier(link.sent), link);
  }

  #tier(sent: number): Link {
    while (this.#tiers.length <= sent) this.#tiers.push(newRing());
    return this.#tiers[sent] as Link;
  }

  #drop(link: Link): void {
    unlink(link);
    this.#links.delete(link.subject);
  }

  /** The oldest of those that were sent most often. */
  #dropMostSent(): void {
    for (let tier = this.#tiers.length - 1; tier >= 0; tier--) {
      const ring = this.#tiers[tier] as Link;
      if (ring.after === ring) continue;
      this.#drop(ring.after);
      return;
    }
  }
}

function newRing(): Link {
  const ring = { subject: "", statement: new Uint8Array(), sent: 0 } as Link;
  ring.before = ring;
  ring.after = ring;
  return ring;
}

function unlink(link: Link): void {
  link.before.after = link.after;
  link.after.before = link.before;
}

/** Put a link in front of a ring's end. */
function append(ring: Link, link: Link): void {
  link.before = ring.before;
  link.after = ring;
  ring.before.after = link;
  ring.before = link;
}
