/**
 * The messages of one agent that wait: first in, first out.
 *
 * IB1. One message lies in the inbox itself; the ring for more is made when it is needed and given up when it is empty, because most
 *      agents of a million hold none.
 */
import { MAILBOX_HIGH, MAILBOX_LOW } from "./constants.ts";
import type { AgentEnvelope } from "./envelope.ts";

const ROOM = 8;

/** More messages than one. */
class Ring {
  size = 0;
  pressured = false;
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

/** What an interpreter grows from: its waiting messages are part of itself, which saves an object per agent. */
export abstract class Inbox {
  #one: AgentEnvelope | null = null;
  #more: Ring | null = null;

  /** Whether senders should hold back: from 800 messages on until 200 are left. */
  protected get pressured(): boolean {
    return this.#more?.pressured === true;
  }

  /** Messages that wait. */
  get waiting(): number {
    if (this.#one === null) return 0;
    return this.#more === null ? 1 : 1 + this.#more.size;
  }

  /** Whether a message waits. */
  protected get hasMail(): boolean {
    return this.#one !== null;
  }

  /** Add a message. The caller has looked whether there is room. O(1) amortised. */
  protected push(envelope: AgentEnvelope): void {
    if (this.#one === null) {
      this.#one = envelope;
      return;
    }
    this.#more ??= new Ring();
    this.#more.push(envelope);
    if (this.#more.size + 1 >= MAILBOX_HIGH) this.#more.pressured = true;
  }

  /** Take the oldest message, or null. */
  protected take(): AgentEnvelope | null {
    const envelope = this.#one;
    const more = this.#more;
    if (more === null) {
      this.#one = null;
      return envelope;
    }
    this.#one = more.shift();
    if (more.size === 0) this.#more = null;
    else if (more.pressured && more.size + 1 <= MAILBOX_LOW) more.pressured = false;
    return envelope;
  }

  /** Take all messages that are in question out. Returns those. O(messages). */
  protected takeOut(inQuestion: (envelope: AgentEnvelope) => boolean): AgentEnvelope[] {
    const all = this.#one === null ? [] : [this.#one, ...(this.#more?.drain() ?? [])];
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
