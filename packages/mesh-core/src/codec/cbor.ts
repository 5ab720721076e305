/**
 * Deterministic CBOR (RFC 8949 section 4.2) for message bodies, bounded before anything is built.
 *
 * C1. Only integers within +-(2^53 - 1), byte strings, text, arrays, booleans and null. No maps, tags, floats or indefinite lengths.
 * C2. Every integer and length is in its shortest form and text is UTF-8, so a value has one encoding. cborg leaves out a byte order mark that a text
 *     begins with.
 * C3. Nesting, item count and lengths are checked by one pass over the bytes before cborg builds a value.
 * C4. Bytes in parts are one byte string. Before what is large and comes last only a head is written; it stays where it is.
 * C5. A byte string that is at least half of what it came in is a view of it; any other is a copy. So a large one is not copied, and a small one
 *     that is kept does not keep a large message.
 */
import { decode, encode } from "cborg";
import { MalformedMessageError } from "../errors.ts";
import { inOnePiece, JoinedBytes, partsOf } from "./joined-bytes.ts";

/** What a body may hold (C1). */
export type CborValue = number | boolean | null | string | Uint8Array | readonly CborValue[];
/** What may be sent: bytes in parts are written as one byte string (C4). */
export type CborBody = CborValue | readonly (CborValue | JoinedBytes)[];

/** Deepest nesting of arrays in a body. */
export const CBOR_DEPTH_MAX = 8;
/** Most items in one body, nested ones included. */
export const CBOR_ITEMS_MAX = 131_072;

/** The one encoding of `value`. */
export function encodeCbor(value: CborBody): Uint8Array {
  return encode(Array.isArray(value) && value.some(isJoined) ? value.map(whole) : value);
}

/** The encoding of an array of `items` and, behind them, `last`, which is not copied (C4). */
export function encodeBefore(items: readonly CborValue[], last: Uint8Array | JoinedBytes): JoinedBytes {
  const before = encode([...items, NO_BYTES]);
  // The head of a byte string is the number of its bytes under another major type, and that of none is one byte.
  const length = encode(last.length);
  length[0] = (length[0] as number) | (MAJOR_BYTES << 5);
  return new JoinedBytes([before.subarray(0, -1), length, ...partsOf(last)]);
}

/** The value in `bytes`, which the caller gives up (C5). @throws {MalformedMessageError} for anything C1-C3 exclude; O(bytes). */
export function decodeCbor(bytes: Uint8Array, what = "a message body"): CborValue {
  const scan = new Scan(bytes, what);
  scan.item(0);
  scan.end();
  try {
    return decode(new LentBytes(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length), STRICT);
  } catch (error) {
    throw new MalformedMessageError(what, error instanceof Error ? error.message : "it is not CBOR");
  }
}

const STRICT = { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false } as const;
const NO_BYTES = new Uint8Array();

function isJoined(value: unknown): value is JoinedBytes {
  return value instanceof JoinedBytes;
}

function whole(value: CborValue | JoinedBytes): CborValue {
  return isJoined(value) ? inOnePiece(value) : value;
}

/** A message that gives its large byte strings away: cborg takes each with `slice` (C5). */
class LentBytes extends Uint8Array {
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  override slice(from = 0, to = this.length): Uint8Array<ArrayBuffer> {
    const part = this.subarray(from, to) as Uint8Array<ArrayBuffer>;
    return part.length * 2 >= this.length ? part : part.slice();
  }
}

const MAJOR_UINT = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const TWO_TO_32 = 0x1_0000_0000;

/** One pass that accepts or refuses the structure without building it (C3). */
class Scan {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  item(depth: number): void {
    if (depth > CBOR_DEPTH_MAX) this.#refuse(`it is nested deeper than ${CBOR_DEPTH_MAX}`);
    if (++this.#items > CBOR_ITEMS_MAX) this.#refuse(`it has more than ${CBOR_ITEMS_MAX} items`);
    const head = this.#byte();
    const major = head >> 5;
    if (major === MAJOR_UINT || major === MAJOR_NEGATIVE) this.#argument(head & 31);
    else if (major === MAJOR_BYTES) this.#skip(this.#argument(head & 31));
    else if (major === MAJOR_TEXT) this.#text(this.#argument(head & 31));
    else if (major === MAJOR_ARRAY) this.#array(this.#argument(head & 31), depth);
    else if (head !== FALSE && head !== TRUE && head !== NULL)
      this.#refuse(`item head 0x${head.toString(16)} is not allowed`);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) this.#refuse("bytes follow the value");
  }

  #array(count: number, depth: number): void {
    if (count > this.#bytes.length - this.#at)
      this.#refuse("an array is longer than the bytes that are left");
    for (let i = 0; i < count; i++) this.item(depth + 1);
  }

  #argument(minor: number): number {
    if (minor < 24) return minor;
    if (minor > 27) this.#refuse("a length is indefinite or reserved");
    const size = 1 << (minor - 24);
    let value = 0;
    for (let i = 0; i < size; i++) {
      value = value * 256 + this.#byte();
    }
    if (!Number.isSafeInteger(value)) this.#refuse("an integer is above 2^53 - 1");
    const least = size === 1 ? 24 : size === 2 ? 0x100 : size === 4 ? 0x1_0000 : TWO_TO_32;
    if (value < least) this.#refuse("an integer is not in its shortest form");
    return value;
  }

  #text(length: number): void {
    const start = this.#at;
    this.#skip(length);
    if (!isUtf8(this.#bytes.subarray(start, this.#at))) this.#refuse("a text is not UTF-8");
  }

  #skip(length: number): void {
    if (length > this.#bytes.length - this.#at)
      this.#refuse("a string is longer than the bytes that are left");
    this.#at += length;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) this.#refuse("it ends too early");
    return byte;
  }

  #refuse(why: string): never {
    throw new MalformedMessageError(this.#what, why);
  }
}

/** Least code point that needs as many continuation bytes as its index says; a shorter form is not UTF-8 (RFC 3629). */
const LEAST: readonly number[] = [0, 0x80, 0x800, 0x1_0000];

function isUtf8(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) {
    const head = bytes[at++] ?? 0;
    const more = head < 0x80 ? 0 : head >> 5 === 6 ? 1 : head >> 4 === 14 ? 2 : head >> 3 === 30 ? 3 : -1;
    if (more < 0 || at + more > bytes.length) return false;
    let point = more === 0 ? head : head & (0x3f >> more);
    for (let i = 0; i < more; i++) {
      const next = bytes[at++] ?? 0;
      if (next >> 6 !== 2) return false;
      point = (point << 6) | (next & 0x3f);
    }
    if (point < (LEAST[more] ?? 0) || point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}
