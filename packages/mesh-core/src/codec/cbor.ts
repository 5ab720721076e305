/**
 * Deterministic CBOR (RFC 8949 section 4.2) for message bodies, bounded before anything is built.
 *
 * C1. Only integers within +-(2^53 - 1), byte strings, text, arrays, booleans and null. No maps, tags, floats or indefinite lengths.
 * C2. Every integer and length is in its shortest form and text is UTF-8, so a value has one encoding.
 * C3. Nesting, item count and lengths are checked before the item they belong to is built.
 * C4. A value is written into memory that was set aside once, at its exact size.
 * C5. A byte string that is at least half of what it came in is a view of it; any other is a copy. So a large one is not copied, and a small one
 *     that is kept does not keep a large message.
 */
import { MalformedMessageError } from "../errors.ts";
import { JoinedBytes, partsOf } from "./joined-bytes.ts";
import { textOf, utf8Bytes, writeUtf8 } from "./utf8.ts";

/** What a body may hold (C1). Bytes in parts are written as one byte string, and never read. */
export type CborValue = number | boolean | null | string | Uint8Array | JoinedBytes | readonly CborValue[];

/** Deepest nesting of arrays in a body. */
export const CBOR_DEPTH_MAX = 8;
/** Most items in one body, nested ones included. */
export const CBOR_ITEMS_MAX = 131_072;

const MAJOR_UINT = 0;
const MAJOR_NEGATIVE = 1;
const MAJOR_BYTES = 2;
const MAJOR_TEXT = 3;
const MAJOR_ARRAY = 4;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;
const TWO_TO_32 = 0x1_0000_0000;

/** The one encoding of `value`, with room for `before` bytes in front of it, which are zeros. @throws {MalformedMessageError} for a number that C1 excludes */
export function encodeCbor(value: CborValue, before = 0): Uint8Array {
  const bytes = new Uint8Array(before + sizeOf(value));
  write(value, bytes, before);
  return bytes;
}

/** The encoding of an array of `items` and, behind them, `last`, which is not copied. */
export function encodeBefore(items: readonly CborValue[], last: Uint8Array | JoinedBytes): JoinedBytes {
  const [array, tail] = [headBytes(items.length + 1), headBytes(last.length)];
  const head = new Uint8Array(items.reduce<number>((size, item) => size + sizeOf(item), array + tail));
  let end = writeHead(MAJOR_ARRAY, items.length + 1, head, 0);
  for (const item of items) end = write(item, head, end);
  writeHead(MAJOR_BYTES, last.length, head, end);
  return new JoinedBytes([head, ...partsOf(last)]);
}

/** The value in `bytes`, which the caller gives up (C5). @throws {MalformedMessageError} for anything C1-C3 exclude; O(bytes). */
export function decodeCbor(bytes: Uint8Array, what = "a message body"): CborValue {
  const decoder = new Decoder(bytes, what);
  const value = decoder.item(0);
  decoder.end();
  return value;
}

/** Bytes of the head of an item with this argument. */
function headBytes(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x1_0000) return 3;
  return argument < TWO_TO_32 ? 5 : 9;
}

function isBytes(value: CborValue): value is Uint8Array | JoinedBytes {
  return value instanceof Uint8Array || value instanceof JoinedBytes;
}

function sizeOf(value: CborValue): number {
  if (typeof value === "number") return headBytes(value < 0 ? -1 - value : value);
  if (typeof value === "string") {
    const length = utf8Bytes(value);
    return headBytes(length) + length;
  }
  if (isBytes(value)) return headBytes(value.length) + value.length;
  if (value === null || typeof value === "boolean") return 1;
  let size = headBytes(value.length);
  for (const item of value) size += sizeOf(item);
  return size;
}

/** Write a value at `at`; where it ends. */
function write(value: CborValue, target: Uint8Array, at: number): number {
  if (typeof value === "number") return writeInteger(value, target, at);
  if (typeof value === "string")
    return writeUtf8(value, target, writeHead(MAJOR_TEXT, utf8Bytes(value), target, at));
  if (isBytes(value)) {
    let from = writeHead(MAJOR_BYTES, value.length, target, at);
    for (const part of partsOf(value)) {
      target.set(part, from);
      from += part.length;
    }
    return from;
  }
  if (value === null || typeof value === "boolean") {
    target[at] = value === null ? NULL : value ? TRUE : FALSE;
    return at + 1;
  }
  let end = writeHead(MAJOR_ARRAY, value.length, target, at);
  for (const item of value) end = write(item, target, end);
  return end;
}

function writeInteger(value: number, target: Uint8Array, at: number): number {
  if (!Number.isSafeInteger(value))
    throw new MalformedMessageError("a message body", `${value} is not an integer within +-(2^53 - 1)`);
  return value < 0
    ? writeHead(MAJOR_NEGATIVE, -1 - value, target, at)
    : writeHead(MAJOR_UINT, value, target, at);
}

function writeHead(major: number, argument: number, target: Uint8Array, at: number): number {
  const length = headBytes(argument);
  const end = at + length;
  if (length === 1) {
    target[at] = (major << 5) | argument;
    return end;
  }
  target[at] = (major << 5) | (length === 2 ? 24 : length === 3 ? 25 : length === 5 ? 26 : 27);
  let rest = argument;
  for (let place = end - 1; place > at; place--) {
    target[place] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return end;
}

/** One pass over the bytes that checks and builds. */
class Decoder {
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #at = 0;
  #items = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  item(depth: number): CborValue {
    if (depth > CBOR_DEPTH_MAX) this.#refuse(`it is nested deeper than ${CBOR_DEPTH_MAX}`);
    if (++this.#items > CBOR_ITEMS_MAX) this.#refuse(`it has more than ${CBOR_ITEMS_MAX} items`);
    const head = this.#byte();
    const major = head >> 5;
    if (major === MAJOR_UINT) return this.#argument(head & 31);
    if (major === MAJOR_NEGATIVE) return this.#negative(head & 31);
    if (major === MAJOR_BYTES) return this.#string(this.#argument(head & 31));
    if (major === MAJOR_TEXT) return this.#text(this.#argument(head & 31));
    if (major === MAJOR_ARRAY) return this.#array(this.#argument(head & 31), depth);
    if (head === NULL) return null;
    if (head !== FALSE && head !== TRUE) this.#refuse(`item head 0x${head.toString(16)} is not allowed`);
    return head === TRUE;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) this.#refuse("bytes follow the value");
  }

  #array(count: number, depth: number): CborValue[] {
    if (count > this.#bytes.length - this.#at)
      this.#refuse("an array is longer than the bytes that are left");
    const items: CborValue[] = [];
    for (let i = 0; i < count; i++) items.push(this.item(depth + 1));
    return items;
  }

  #negative(minor: number): number {
    const value = -1 - this.#argument(minor);
    if (!Number.isSafeInteger(value)) this.#refuse("an integer is below -(2^53 - 1)");
    return value;
  }

  #argument(minor: number): number {
    if (minor < 24) return minor;
    if (minor > 27) this.#refuse("a length is indefinite or reserved");
    const size = 1 << (minor - 24);
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#byte();
    if (!Number.isSafeInteger(value)) this.#refuse("an integer is above 2^53 - 1");
    const least = size === 1 ? 24 : size === 2 ? 0x100 : size === 4 ? 0x1_0000 : TWO_TO_32;
    if (value < least) this.#refuse("an integer is not in its shortest form");
    return value;
  }

  /** C5. */
  #string(length: number): Uint8Array {
    const bytes = this.#take(length);
    return length * 2 >= this.#bytes.length ? bytes : bytes.slice();
  }

  #text(length: number): string {
    const text = textOf(this.#take(length));
    if (text === undefined) this.#refuse("a text is not UTF-8");
    return text;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at)
      this.#refuse("a string is longer than the bytes that are left");
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
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
