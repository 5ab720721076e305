/**
 * Cuts decoded text into words, lower-cased, as UTF-8.
 *
 * S1. Text may arrive in pieces of any size; a word that spans pieces is one word.
 * S2. A word is handed over by its first {@link WORD_BYTES_MAX} bytes (whole code points), so memory does not follow the input.
 */
import type { Fold } from "./fold.ts";

/** Bytes of UTF-8 by which a word is known; longer words are cut to the code points that fit. */
export const WORD_BYTES_MAX = 1024;

/** Receives each word: its first `length` bytes, valid during the call only. */
export type WordSink = (word: Uint8Array, length: number) => void;

/** The scanner of one text after another (S1, S2). */
export class WordScanner {
  readonly #fold: Fold;
  readonly #sink: WordSink;
  readonly #word: Uint8Array = new Uint8Array(WORD_BYTES_MAX);
  #length = 0;
  #full = false;
  #open = false;

  constructor(fold: Fold, sink: WordSink) {
    this.#fold = fold;
    this.#sink = sink;
  }

  /** Scan the next piece. Surrogate pairs are whole: a `TextDecoder` never splits one between two results. */
  push(text: string): void {
    const { direct } = this.#fold;
    const limit = direct.length;
    for (let i = 0; i < text.length; i++) {
      let point = text.charCodeAt(i);
      if (point >= 0xd800 && point < 0xdc00) point = text.codePointAt(i++)!;
      const folded = point < limit ? direct[point]! : this.#fold.beyond(point);
      if (folded !== 0) this.#append(folded);
      else if (this.#open) this.end();
    }
  }

  /** The text is over: hand over the word that was open. */
  end(): void {
    if (this.#open) this.#sink(this.#word, this.#length);
    this.#open = false;
    this.#full = false;
    this.#length = 0;
  }

  #append(point: number): void {
    this.#open = true;
    const size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    if (this.#full || this.#length + size > this.#word.length) {
      this.#full = true;
      return;
    }
    const word = this.#word;
    if (size === 1) {
      word[this.#length++] = point;
      return;
    }
    const lead = size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0;
    word[this.#length++] = lead | (point >> (6 * (size - 1)));
    for (let shift = 6 * (size - 2); shift >= 0; shift -= 6) {
      word[this.#length++] = 0x80 | ((point >> shift) & 0x3f);
    }
  }
}
