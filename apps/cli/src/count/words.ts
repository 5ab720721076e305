/**
 * Cuts decoded text into words, lower-cased, as keys of bytes.
 *
 * S1. Text may arrive in pieces of any size; a word that spans pieces is one word.
 * S2. The key of a word of at most {@link WORD_BYTES_MAX} bytes is its UTF-8. A longer word's key is its first
 *     {@link PREFIX_BYTES_MAX} bytes (whole code points), a zero byte, its length and a 64-bit hash of all of it: memory does not
 *     follow the length of words. No word contains a zero byte, so keys of the two kinds never meet.
 * S3. Keys sort as words do: by code point, longer words that agree in their prefix by length.
 */
import type { Fold } from "./fold.ts";

/** Longest word that is kept whole, in bytes of lower-case UTF-8. The guest that counts has the same rule. */
export const WORD_BYTES_MAX = 64;
/** How much of a longer word is kept. */
export const PREFIX_BYTES_MAX = 40;

const KEY_BYTES_MAX = PREFIX_BYTES_MAX + 1 + 8 + 8;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
/** The second half of the hash: another start and an odd multiplier with well spread bits (Steele and Vigna, 2021). */
const SECOND_OFFSET = 0x9e3779b9;
const SECOND_PRIME = 0x915f77f5;

/** Receives each word: its key is the first `length` bytes, valid during the call only. */
export type WordSink = (key: Uint8Array, length: number) => void;

/** A frequent word and its count; of a word that is not kept whole, its prefix, its count and its length in bytes. */
export type WordCount =
  | readonly [word: string, count: number]
  | readonly [prefix: string, count: number, bytes: number];

/** The scanner of one text after another (S1 to S3). */
export class WordScanner {
  readonly #fold: Fold;
  readonly #sink: WordSink;
  readonly #word: Uint8Array = new Uint8Array(Math.max(WORD_BYTES_MAX + 4, KEY_BYTES_MAX));
  /** Bytes of the open word; 0 when none is open. */
  #length = 0;
  /** Bytes up to the last code point that ends within the prefix. */
  #prefix = 0;
  #hash = 0;
  #second = 0;

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
      else if (this.#length > 0) this.end();
    }
  }

  /** The text is over: hand over the word that was open. */
  end(): void {
    if (this.#length === 0) return;
    const whole = this.#length <= WORD_BYTES_MAX;
    this.#sink(this.#word, whole ? this.#length : this.#sealLong());
    this.#length = 0;
    this.#prefix = 0;
  }

  #append(point: number): void {
    if (point < 0x80) {
      this.#byte(point);
    } else {
      const size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      this.#byte((size === 2 ? 0xc0 : size === 3 ? 0xe0 : 0xf0) | (point >> (6 * (size - 1))));
      for (let shift = 6 * (size - 2); shift >= 0; shift -= 6) this.#byte(0x80 | ((point >> shift) & 0x3f));
    }
    if (this.#length <= PREFIX_BYTES_MAX) this.#prefix = this.#length;
  }

  #byte(byte: number): void {
    const at = this.#length++;
    if (at < WORD_BYTES_MAX) this.#word[at] = byte;
    else {
      if (at === WORD_BYTES_MAX) this.#beginHash();
      this.#mix(byte);
    }
  }

  #beginHash(): void {
    this.#hash = FNV_OFFSET | 0;
    this.#second = SECOND_OFFSET | 0;
    for (let i = 0; i < WORD_BYTES_MAX; i++) this.#mix(this.#word[i]!);
  }

  #mix(byte: number): void {
    this.#hash = Math.imul(this.#hash ^ byte, FNV_PRIME);
    this.#second = Math.imul(this.#second ^ (this.#second >>> 13) ^ byte, SECOND_PRIME);
  }

  /** Make the key of a long word in place; its length (S2). */
  #sealLong(): number {
    const end = this.#prefix + 17;
    const view = new DataView(this.#word.buffer);
    this.#word[this.#prefix] = 0;
    view.setBigUint64(this.#prefix + 1, BigInt(this.#length));
    view.setInt32(this.#prefix + 9, this.#hash);
    view.setInt32(this.#prefix + 13, this.#second);
    return end;
  }
}

/** What people see of a key and its count (S2). */
export function wordCountOf(key: Uint8Array, count: number): WordCount {
  const zero = key.indexOf(0);
  if (zero < 0) return [new TextDecoder().decode(key), count];
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  return [new TextDecoder().decode(key.subarray(0, zero)), count, Number(view.getBigUint64(zero + 1))];
}

/** What two keys have in common that show the same word: the key without the hash of a long word. */
export function shownKey(key: Uint8Array, length: number): number {
  const zero = key.indexOf(0);
  return zero < 0 || zero >= length ? length : zero + 9;
}

/** The key of a shown word, without the hash of a long one. */
export function keyOfShown([word, , bytes]: WordCount): Uint8Array {
  const text = new TextEncoder().encode(word);
  if (bytes === undefined) return text;
  const key = new Uint8Array(text.length + 9);
  key.set(text);
  new DataView(key.buffer).setBigUint64(text.length + 1, BigInt(bytes));
  return key;
}
