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

/** The queue of one node. */
export class BroadcastQueue {
  readonly #retransmitMult: number;
  /** Statements by how often they were sent, oldest first. */
  readonly #sent: Map<string, Uint8Array>[] = [new Map()];
  readonly #tierOf = new Map<string, number>();
  readonly #began: () => void;

  /** `began` is called when there is something to spread again. */
  constructor(retransmitMult: number, began: () => void = () => undefined) {
    this.#retransmitMult = retransmitMult;
    this.#began = began;
  }

  /** Statements under way. */
  get size(): number {
    return this.#tierOf.size;
  }

  /** Spread a statement about `subject` (B1). When full, the most-sent one gives way: anti-entropy still carries it. */
  add(subject: string, statement: Uint8Array): void {
    this.#drop(subject);
    if (this.#tierOf.size >= BROADCASTS_MAX) this.#dropMostSent();
    this.#tier(0).set(subject, statement);
    this.#tierOf.set(subject, 0);
    if (this.#tierOf.size === 1) this.#began();
  }

  /** Up to `budget` bytes of statements for one message in a cluster of `members` (B2, B3); O(taken + tiers + {@link SKIPS_MAX}). */
  take(budget: number, members: number): Uint8Array[] {
    if (this.#tierOf.size === 0) return [];
    const limit = this.#limit(members);
    const taken = this.#fitting(budget);
    for (const { subject, statement, sent } of taken) {
      if (sent >= limit) this.#drop(subject);
      else this.#move(subject, statement, sent);
    }
    return taken.map(({ statement }) => statement);
  }

  /** Somebody else spreads the same statement (B4); O(its bytes). */
  heard(subject: string, statement: Uint8Array, members: number): void {
    const sent = this.#tierOf.get(subject);
    const own = sent === undefined ? undefined : this.#tier(sent).get(subject);
    if (sent === undefined || own === undefined || !(own === statement || sameBytes(own, statement))) return;
    if (sent + 1 >= this.#limit(members)) this.#drop(subject);
    else this.#move(subject, own, sent + 1);
  }

  /** One that was sent once less is now last of those that were sent so often. */
  #move(subject: string, statement: Uint8Array, sent: number): void {
    this.#tier(sent - 1).delete(subject);
    this.#tier(sent).set(subject, statement);
    this.#tierOf.set(subject, sent);
  }

  #limit(members: number): number {
    return this.#retransmitMult * Math.max(1, log10Ceiling(members + 1));
  }

  /** What fits, fewest-sent first, and how often it will have been sent then. */
  #fitting(
    budget: number,
  ): { readonly subject: string; readonly statement: Uint8Array; readonly sent: number }[] {
    const taken: { readonly subject: string; readonly statement: Uint8Array; readonly sent: number }[] = [];
    let left = budget;
    let skips = 0;
    for (let sent = 0; sent < this.#sent.length; sent++)
      for (const [subject, statement] of this.#tier(sent)) {
        if (left < SMALLEST_BYTES || skips > SKIPS_MAX) return taken;
        if (statement.length + ITEM_OVERHEAD_BYTES > left) skips++;
        else {
          left -= statement.length + ITEM_OVERHEAD_BYTES;
          taken.push({ subject, statement, sent: sent + 1 });
        }
      }
    return taken;
  }

  #tier(sent: number): Map<string, Uint8Array> {
    while (this.#sent.length <= sent) this.#sent.push(new Map());
    return this.#sent[sent] as Map<string, Uint8Array>;
  }

  #drop(subject: string): void {
    const tier = this.#tierOf.get(subject);
    if (tier === undefined) return;
    this.#sent[tier]?.delete(subject);
    this.#tierOf.delete(subject);
  }

  #dropMostSent(): void {
    for (let tier = this.#sent.length - 1; tier >= 0; tier--)
      for (const subject of this.#tier(tier).keys()) {
        this.#drop(subject);
        return;
      }
  }
}
