/**
 * Which sequence numbers have been taken: a sliding window (the method of RFC 4303 section 3.4.3).
 *
 * RW1. A number is taken once. A number 1,024 or more below the highest taken one is never taken.
 * RW2. Memory is constant: 32 words of 32 bits.
 */

/** Numbers the window covers. */
export const REPLAY_WINDOW = 1024;
const WORD_BITS = 32;

/** The numbers of one sender. */
export class ReplayWindow {
  readonly #words = new Uint32Array(REPLAY_WINDOW / WORD_BITS);
  #highest = -1;

  /** The highest number taken, or -1. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether `sequence`, an integer from 0 to 2^53 - 1, may still be taken (RW1). */
  fresh(sequence: number): boolean {
    if (sequence > this.#highest) return true;
    if (sequence <= this.#highest - REPLAY_WINDOW) return false;
    return (this.#words[this.#word(sequence)]! & this.#bit(sequence)) === 0;
  }

  /** Take a fresh number. Costs the distance from the highest one, 1,024 at most. */
  take(sequence: number): void {
    const forgotten = Math.min(sequence - this.#highest, REPLAY_WINDOW);
    for (let i = 0; i < forgotten; i++) this.#words[this.#word(sequence - i)]! &= ~this.#bit(sequence - i);
    this.#highest = Math.max(this.#highest, sequence);
    this.#words[this.#word(sequence)]! |= this.#bit(sequence);
  }

  #word(sequence: number): number {
    return Math.floor((sequence % REPLAY_WINDOW) / WORD_BITS);
  }

  #bit(sequence: number): number {
    return 1 << (sequence % WORD_BITS);
  }
}
