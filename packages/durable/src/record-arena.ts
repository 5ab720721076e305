/**
 * Where records are written: one after the other into chunks that all domains share. A record is a view of its chunk, so the records that one
 * domain writes in one go are one body without a copy (`joined`).
 *
 * RA1. What is written has the core deterministic encoding of RFC 8949 (section 4.2.1): shortest lengths, definite sizes. Values that are no
 *      small plain ones come from the general encoder.
 * RA2. Bytes that were given out are never written again.
 * RA3. Nothing between the begin and the end of a record runs code of a program or a service: what the general encoder makes of a value,
 *      which may ask its getters, is there before.
 */

const CHUNK_BYTES = 65_536;
/** An integer with its type takes at most this much. */
const HEAD_BYTES = 9;
/** Strings up to this length are looked at here; longer ones are faster in the general encoder. */
const SHORT = 256;
const U32 = 4_294_967_296;

/** Major types of RFC 8949 section 3.1, in the upper three bits. */
export const MAJOR = { unsigned: 0x00, negative: 0x20, bytes: 0x40, text: 0x60, array: 0x80 } as const;
/** Simple values of RFC 8949 section 3.3. */
export const SIMPLE = { false: 0xf4, true: 0xf5, null: 0xf6, undefined: 0xf7 } as const;

let chunk = new Uint8Array(0);
let end = 0;
/** Where the record that is being written begins. */
let start = 0;

/** Begin a record. What another one wrote and never took is overwritten. */
export function beginRecord(): void {
  end = start;
}

/** The record that was begun, as a view. */
export function takeRecord(): Uint8Array {
  const bytes = chunk.subarray(start, end);
  start = end;
  return bytes;
}

/** Bytes of the record so far. */
export function recordLength(): number {
  return end - start;
}

/** An integer of 0 or more under a major type. */
export function writeHead(major: number, value: number): void {
  room(HEAD_BYTES);
  if (value < 24) chunk[end++] = major | value;
  else if (value < 256) {
    chunk[end++] = major | 24;
    chunk[end++] = value;
  } else if (value < 65_536) {
    chunk[end++] = major | 25;
    chunk[end++] = value >>> 8;
    chunk[end++] = value;
  } else if (value < U32) {
    chunk[end++] = major | 26;
    writeU32(value);
  } else {
    chunk[end++] = major | 27;
    writeU32(Math.floor(value / U32));
    writeU32(value % U32);
  }
}

/** A list of integers of 0 or more. */
export function writeList(values: readonly number[]): void {
  writeHead(MAJOR.array, values.length);
  for (const value of values) writeHead(MAJOR.unsigned, value);
}

/** A byte string, or null. */
export function writeBytes(bytes: Uint8Array | null): void {
  if (bytes === null) writeByte(SIMPLE.null);
  else {
    writeHead(MAJOR.bytes, bytes.length);
    writeRaw(bytes);
  }
}

/** A value that is {@link isSmall}. */
export function writeSmall(value: unknown): void {
  if (typeof value === "string") writeAscii(value);
  else if (typeof value === "number") writeInteger(value);
  else if (value === null) writeByte(SIMPLE.null);
  else if (value === undefined) writeByte(SIMPLE.undefined);
  else writeByte(value === true ? SIMPLE.true : SIMPLE.false);
}

/** Whether a value is written here: short ASCII text, a safe integer, a boolean, null or undefined. It is the same when it is read again. */
export function isSmall(value: unknown): boolean {
  if (typeof value === "string") return isShortAscii(value);
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
  return value === null || value === undefined || typeof value === "boolean";
}

function writeInteger(value: number): void {
  if (value >= 0) writeHead(MAJOR.unsigned, value);
  else writeHead(MAJOR.negative, -1 - value);
}

function writeAscii(text: string): void {
  writeHead(MAJOR.text, text.length);
  room(text.length);
  for (let i = 0; i < text.length; i++) chunk[end++] = text.charCodeAt(i);
}

function isShortAscii(text: string): boolean {
  if (text.length > SHORT) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function writeByte(byte: number): void {
  room(1);
  chunk[end++] = byte;
}

/** Bytes as they are. */
export function writeRaw(bytes: Uint8Array): void {
  room(bytes.length);
  chunk.set(bytes, end);
  end += bytes.length;
}

function writeU32(value: number): void {
  chunk[end++] = value >>> 24;
  chunk[end++] = value >>> 16;
  chunk[end++] = value >>> 8;
  chunk[end++] = value;
}

/** Room for more bytes: in this chunk, or in a new one that the record moves to (RA2). */
function room(bytes: number): void {
  if (end + bytes <= chunk.length) return;
  const length = end - start;
  const next = new Uint8Array(Math.max(CHUNK_BYTES, 2 * (length + bytes)));
  next.set(chunk.subarray(start, end));
  chunk = next;
  start = 0;
  end = length;
}
