/** The messages that wait for one guest, first in first out. The scheduler bounds them (scheduler.ts, GS5). */

/** A message and what the poster calls it. */
export interface Message {
  readonly token: number;
  readonly payload: Uint8Array;
}

/** Emptied places are given back when this many have gathered and they are half of the array. */
const SHIFT_AT = 32;

/** A queue of messages in constant time each. */
export class Mailbox {
  #messages: Message[] = [];
  #first = 0;

  get size(): number {
    return this.#messages.length - this.#first;
  }

  get first(): Message | undefined {
    return this.#messages[this.#first];
  }

  push(message: Message): void {
    this.#messages.push(message);
  }

  /** Take the first message away. */
  shift(): void {
    if (this.size === 0) return;
    this.#messages[this.#first] = NONE;
    this.#first += 1;
    if (this.#first === this.#messages.length) {
      this.#messages.length = 0;
      this.#first = 0;
    } else if (this.#first >= SHIFT_AT && this.#first * 2 >= this.#messages.length) {
      this.#messages.splice(0, this.#first);
      this.#first = 0;
    }
  }

  /** All messages, first to last. */
  *drain(): Generator<Message, void, undefined> {
    for (let message = this.first; message !== undefined; message = this.first) {
      this.shift();
      yield message;
    }
  }
}

const NONE: Message = { token: 0, payload: new Uint8Array() };
