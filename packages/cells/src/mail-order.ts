/**
 * Which message of a cell's mailbox its guest gets next: urgent ones before others (docs/spec/agent-message.md, "At a node").
 *
 * MO1. A payload that begins with `{"priority":"high"` or `{"priority":"low"` has that priority, any other the usual one. Nothing else of it is read.
 * MO2. The rule is that of `agent/priority.ts` (PQ1 to PQ3). Only a `tell`, an `ask` or a `publish` goes before one of low priority: replies, credits
 *      and what a node says keep their place behind what came before them.
 * MO3. What a cell is given by whoever starts it comes first, whatever waits.
 * MO4. Without a prioritised message nothing is looked at but one byte of each payload.
 */
import { type MessagePriority, PriorityTurns } from "./agent/index.ts";
import { FIRST } from "./gate-cell.ts";
import type { MailItem } from "./runner-port.ts";

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const HIGH = bytesOf('{"priority":"high"');
const LOW = bytesOf('{"priority":"low"');
const MAIL: readonly Uint8Array[] = ["tell", "ask", "publish"].map((kind) =>
  bytesOf(`{"glia":1,"kind":"${kind}"`),
);
/** Where an envelope without a priority has the `g` of its first field. */
const TELLING = 2;
const LETTER_P = 0x70;

/** The priority of a payload (MO1). */
export function mailPriority(payload: Uint8Array): MessagePriority {
  if (payload[TELLING] !== LETTER_P) return "normal";
  if (begins(payload, HIGH)) return "high";
  return begins(payload, LOW) ? "low" : "normal";
}

function begins(payload: Uint8Array, prefix: Uint8Array): boolean {
  return payload.length >= prefix.length && prefix.every((byte, at) => payload[at] === byte);
}

/** The order of one cell's mailbox. */
export class MailOrder {
  #turns = new PriorityTurns();
  /** Whether turns are counted. */
  #counts = false;
  /** Prioritised messages that wait. */
  #ranked = 0;
  #normal = false;
  #low = false;

  /** Whether the first is not simply the next. */
  get ranks(): boolean {
    return this.#ranked > 0;
  }

  /** A message went into the mailbox. */
  came({ payload }: MailItem): void {
    if (mailPriority(payload) !== "normal") this.#ranked++;
  }

  /** The mailbox is another one now. O(messages). */
  holds(mail: readonly MailItem[]): void {
    this.#ranked = 0;
    for (const item of mail) this.came(item);
  }

  /** The place of the next one among all that wait, which are not none. O(messages). */
  next(mail: readonly MailItem[]): number {
    const first = { high: -1, normal: -1, low: -1 };
    for (const [at, { payload }] of mail.entries()) {
      const priority = mailPriority(payload);
      if (first[priority] < 0) first[priority] = at;
    }
    const { high, normal, low } = first;
    this.#normal = normal >= 0;
    this.#low = low >= 0;
    if (mail[0]?.link === FIRST.link) return 0;
    const next = this.#turns.next(high >= 0, this.#normal, this.#low);
    const staysBehind = next === "normal" && this.#low && low < normal && !isMail(mail[normal]);
    return staysBehind ? low : first[next];
  }

  /** The guest has taken the message that was next. */
  took({ payload }: MailItem): void {
    if (this.#ranked === 0) {
      // None but usual ones were there, so nobody waits for a turn any more.
      if (this.#counts) this.#turns = new PriorityTurns();
      this.#counts = false;
      return;
    }
    this.#counts = true;
    const priority = mailPriority(payload);
    this.#turns.took(priority, this.#normal, this.#low);
    if (priority !== "normal") this.#ranked--;
  }
}

function isMail(item: MailItem | undefined): boolean {
  return item !== undefined && MAIL.some((prefix) => begins(item.payload, prefix));
}
