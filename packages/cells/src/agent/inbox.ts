/**
 * The messages of one agent that wait: by priority, and within one first in, first out (`priority.ts` PQ1 to PQ3).
 *
 * IB1. One message lies in the inbox itself; the ring for more is made when it is needed and given up when it is empty, because most
 *      agents of a million hold none.
 * IB2. Messages of the usual priority cost one look at a field more than without priorities: the other two lie in rings of their own, which are
 *      there only while some wait or a turn is counted.
 */
import { MAILBOX_HIGH, MAILBOX_LOW } from "./constants.ts";
import type { AgentEnvelope } from "./envelope.ts";
import { PriorityTurns } from "./priority.ts";

const ROOM = 8;

/** More messages than one: those of the usual priority, first in, first out. */
class Ring {
  size = 0;
  pressured = false;
  ranked: Ranked | null = null;
  #items: (AgentEnvelope | undefined)[] = new Array(ROOM).fill(undefined);
  #first = 0;

  push(envelope: AgentEnvelope): void {
    if (this.size === this.#items.length) this.#grow();
    this.#items[(this.#first + this.size) & (this.#items.length - 1)] = envelope;
    this.size++;
  }

  shift(): AgentEnvelope {
    const envelope = this.#items[this.#first]!;
    this.#items[this.#first] = undefined;
    this.#first = (this.#first + 1) & (this.#items.length - 1);
    this.size--;
    return envelope;
  }

  drain(): AgentEnvelope[] {
    const all: AgentEnvelope[] = [];
    while (this.size > 0) all.push(this.shift());
    return all;
  }

  #grow(): void {
    const all = this.#items;
    const items: (AgentEnvelope | undefined)[] = new Array(all.length * 2).fill(undefined);
    for (let i = 0; i < this.size; i++) items[i] = all[(this.#first + i) & (all.length - 1)];
    this.#items = items;
    this.#first = 0;
  }
}

/** Messages that are more or less urgent than usual, and whose turn it is (IB2). */
class Ranked {
  readonly high: Ring = new Ring();
  readonly low: Ring = new Ring();
  readonly turns: PriorityTurns = new PriorityTurns();

  get size(): number {
    return this.high.size + this.low.size;
  }
}

/** What an interpreter grows from: its waiting messages are part of itself, which saves an object per agent. */
export abstract class Inbox {
  /** The oldest of the usual priority. */
  #one: AgentEnvelope | null = null;
  /** The others of the usual priority, and the rings of the other priorities. */
  #more: Ring | null = null;

  /** Whether senders should hold back: from 800 messages on until 200 are left. */
  protected get pressured(): boolean {
    return this.#more?.pressured === true;
  }

  /** Messages that wait. */
  get waiting(): number {
    const more = this.#more;
    const one = this.#one === null ? 0 : 1;
    if (more === null) return one;
    return one + more.size + (more.ranked === null ? 0 : more.ranked.size);
  }

  /** Whether a message waits. */
  protected get hasMail(): boolean {
    return this.waiting > 0;
  }

  /** Add a message. The caller has looked whether there is room. O(1) amortised. */
  protected push(envelope: AgentEnvelope): void {
    if (envelope.priority !== undefined) {
      this.#pushRanked(envelope);
      return;
    }
    if (this.#one === null) {
      this.#one = envelope;
      return;
    }
    this.#more ??= new Ring();
    this.#more.push(envelope);
    if (this.waiting >= MAILBOX_HIGH) this.#more.pressured = true;
  }

  #pushRanked(envelope: AgentEnvelope): void {
    const more = (this.#more ??= new Ring());
    more.ranked ??= new Ranked();
    (envelope.priority === "high" ? more.ranked.high : more.ranked.low).push(envelope);
    if (this.waiting >= MAILBOX_HIGH) more.pressured = true;
  }

  /** Take the next message, or null. */
  protected take(): AgentEnvelope | null {
    const more = this.#more;
    if (more === null) {
      const envelope = this.#one;
      this.#one = null;
      return envelope;
    }
    const envelope = more.ranked === null ? this.#takeUsual(more) : this.#takeRanked(more, more.ranked);
    if (more.pressured && this.waiting <= MAILBOX_LOW) more.pressured = false;
    return envelope;
  }

  #takeUsual(more: Ring): AgentEnvelope | null {
    const envelope = this.#one;
    this.#one = more.size > 0 ? more.shift() : null;
    if (more.size === 0 && more.ranked === null) this.#more = null;
    return envelope;
  }

  #takeRanked(more: Ring, ranked: Ranked): AgentEnvelope | null {
    const { high, low, turns } = ranked;
    const [usual, lows] = [this.#one !== null, low.size > 0];
    const empty = !usual && ranked.size === 0;
    const next = empty ? "normal" : turns.next(high.size > 0, usual, lows);
    if (!empty) turns.took(next, usual, lows);
    // Nobody waits for a turn any more once a usual one was taken and no other is there.
    if (next === "normal" && ranked.size === 0) more.ranked = null;
    if (next === "high") return high.shift();
    if (next === "low") return low.shift();
    return this.#takeUsual(more);
  }

  /** Take all messages that are in question out. Returns those. O(messages). */
  protected takeOut(inQuestion: (envelope: AgentEnvelope) => boolean): AgentEnvelope[] {
    const all = this.#one === null ? [] : [this.#one];
    const more = this.#more;
    if (more !== null) all.push(...more.drain());
    if (more !== null && more.ranked !== null)
      all.push(...more.ranked.high.drain(), ...more.ranked.low.drain());
    this.#one = null;
    this.#more = null;
    const out: AgentEnvelope[] = [];
    for (const envelope of all) {
      if (inQuestion(envelope)) out.push(envelope);
      else this.push(envelope);
    }
    return out;
  }
}
