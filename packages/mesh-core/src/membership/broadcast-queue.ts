/**
 * Statements on their way to everybody by piggyback (SWIM, Das et al. 2002, section 4.1; limits as in memberlist).
 *
 * B1. One statement per subject: a newer one replaces an older one.
 * B2. A statement is handed out `retransmitMult * ceil(log10(n + 1))` times, fewest-sent first, then forgotten.
 * B3. What is handed out fits the byte budget it is asked for.
 */
import { log10Ceiling } from "./logarithm.ts";

interface Broadcast {
  readonly statement: Uint8Array;
  sent: number;
}

/** Bytes a statement takes in a message beyond its own. */
const ITEM_OVERHEAD_BYTES = 3;
/** Subjects with a statement under way. */
export const BROADCASTS_MAX = 8192;

/** The queue of one node. */
export class BroadcastQueue {
  readonly #retransmitMult: number;
  readonly #queue = new Map<string, Broadcast>();

  constructor(retransmitMult: number) {
    this.#retransmitMult = retransmitMult;
  }

  /** Statements under way. */
  get size(): number {
    return this.#queue.size;
  }

  /** Spread a statement about `subject` (B1). When full, the longest-queued one gives way: anti-entropy still carries it. */
  add(subject: string, statement: Uint8Array): void {
    this.#queue.delete(subject);
    if (this.#queue.size >= BROADCASTS_MAX) {
      for (const oldest of this.#queue.keys()) {
        this.#queue.delete(oldest);
        break;
      }
    }
    this.#queue.set(subject, { statement, sent: 0 });
  }

  /** Up to `budget` bytes of statements for one message in a cluster of `members` (B2, B3); O(size log size). */
  take(budget: number, members: number): Uint8Array[] {
    const limit = this.#retransmitMult * Math.max(1, log10Ceiling(members + 1));
    const order = [...this.#queue].sort(([, a], [, b]) => a.sent - b.sent);
    const taken: Uint8Array[] = [];
    let left = budget;
    for (const [subject, broadcast] of order) {
      const size = broadcast.statement.length + ITEM_OVERHEAD_BYTES;
      if (size > left) continue;
      left -= size;
      taken.push(broadcast.statement);
      if (++broadcast.sent >= limit) this.#queue.delete(subject);
    }
    return taken;
  }
}
