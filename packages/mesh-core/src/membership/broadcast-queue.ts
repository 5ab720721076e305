/**
 * Statements on their way to everybody by piggyback (SWIM, Das et al. 2002, section 4.1; limits as in memberlist).
 *
 * B1. One statement per subject: a newer one replaces an older one.
 * B2. A statement is handed out `retransmitMult * ceil(log10(n + 1))` times, fewest-sent first, then forgotten.
 * B3. What is handed out fits the byte budget it is asked for.
 */
import { log10Ceiling } from "./logarithm.ts";

/** Bytes a statement takes in a message beyond its own. */
const ITEM_OVERHEAD_BYTES = 3;
/** No statement is smaller: a budget below it ends the search. */
const SMALLEST_BYTES = 40;
/** Subjects with a statement under way. */
export const BROADCASTS_MAX = 16_384;

/** The queue of one node. */
export class BroadcastQueue {
  readonly #retransmitMult: number;
  /** Statements by how often they were sent, oldest first. */
  readonly #sent: Map<string, Uint8Array>[] = [new Map()];
  readonly #tierOf = new Map<string, number>();

  constructor(retransmitMult: number) {
    this.#retransmitMult = retransmitMult;
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
  }

  /** Up to `budget` bytes of statements for one message in a cluster of `members` (B2, B3); O(taken + tiers). */
  take(budget: number, members: number): Uint8Array[] {
    if (this.#tierOf.size === 0) return [];
    const limit = this.#retransmitMult * Math.max(1, log10Ceiling(members + 1));
    const taken: { readonly subject: string; readonly statement: Uint8Array; readonly sent: number }[] = [];
    let left = budget;
    for (const [sent, tier] of this.#sent.entries()) {
      for (const [subject, statement] of tier) {
        if (left < SMALLEST_BYTES) break;
        if (statement.length + ITEM_OVERHEAD_BYTES > left) continue;
        left -= statement.length + ITEM_OVERHEAD_BYTES;
        taken.push({ subject, statement, sent: sent + 1 });
      }
    }
    for (const { subject, statement, sent } of taken) {
      this.#drop(subject);
      if (sent >= limit) continue;
      this.#tier(sent).set(subject, statement);
      this.#tierOf.set(subject, sent);
    }
    return taken.map(({ statement }) => statement);
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
