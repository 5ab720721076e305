/**
 * Small plain values as bytes: what most jobs are called with, at a tenth of the cost of V8's general format.
 *
 * V1. `pack` takes a value only when `unpack` gives exactly what V8's serializer would give: plain objects and arrays of texts in ASCII,
 *     numbers, booleans, null and undefined, without cycles, holes, or one object in two places. Everything else it declines. A proxy of
 *     plain data, which V8 refuses, is read.
 * V2. At most 256 bytes and 32 objects; what is longer is declined before it is written beyond the end.
 */

/** Most bytes `pack` writes. */
export const PACKED_LIMIT = 256;
const OBJECTS = 32;
const DEPTH = 8;

const UNDEFINED = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
/** A whole number of one signed byte, of four, and any other number. */
const BYTE = 4;
const INT = 5;
const DOUBLE = 6;
/** Followed by a length in one byte. */
const TEXT = 7;
const ARRAY = 8;
const OBJECT = 9;

const packed = new Uint8Array(PACKED_LIMIT);
const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);
const seen: unknown[] = [];
let end = 0;
/** A getter of the value may come here again. */
let busy = false;

function room(bytes: number): boolean {
  return end + bytes <= PACKED_LIMIT;
}

function tag(value: number): boolean {
  if (!room(1)) return false;
  packed[end++] = value;
  return true;
}

function number(value: number): boolean {
  if (!room(9)) return false;
  if ((value | 0) !== value || Object.is(value, -0)) {
    packed[end] = DOUBLE;
    double[0] = value;
    packed.set(doubleBytes, end + 1);
    end += 9;
  } else if (value >= -128 && value < 128) {
    packed[end] = BYTE;
    packed[end + 1] = value;
    end += 2;
  } else {
    packed[end] = INT;
    for (let i = 0; i < 4; i++) packed[end + 1 + i] = value >> (8 * i);
    end += 5;
  }
  return true;
}

function characters(text: string): boolean {
  const { length } = text;
  if (!room(length + 1)) return false;
  packed[end] = length;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return false;
    packed[end + 1 + i] = code;
  }
  end += length + 1;
  return true;
}

function array(value: readonly unknown[], depth: number): boolean {
  // Holes and named properties show in the number of keys.
  if (!room(2) || value.length > 255 || Object.keys(value).length !== value.length) return false;
  packed[end] = ARRAY;
  packed[end + 1] = value.length;
  end += 2;
  for (let i = 0; i < value.length; i++) if (!put(value[i], depth + 1)) return false;
  return true;
}

function object(value: Readonly<Record<string, unknown>>, depth: number): boolean {
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype) return false;
  const keys = Object.keys(value);
  if (!room(2) || keys.length > 255) return false;
  packed[end] = OBJECT;
  packed[end + 1] = keys.length;
  end += 2;
  for (const key of keys)
    if (key === "__proto__" || !characters(key) || !put(value[key], depth + 1)) return false;
  return true;
}

function put(value: unknown, depth: number): boolean {
  if (typeof value === "number") return number(value);
  if (typeof value === "string") return tag(TEXT) && characters(value);
  if (typeof value === "boolean") return tag(value ? TRUE : FALSE);
  if (value === undefined) return tag(UNDEFINED);
  if (value === null) return tag(NULL);
  if (typeof value !== "object" || depth > DEPTH || seen.length >= OBJECTS || seen.includes(value))
    return false;
  seen.push(value);
  return Array.isArray(value)
    ? array(value, depth)
    : object(value as Readonly<Record<string, unknown>>, depth);
}

/** The bytes of a value, valid until the next call; nothing when it is no small plain value (V1, V2). What getters throw passes through. */
export function pack(value: unknown): Uint8Array | undefined {
  if (busy) return undefined;
  busy = true;
  end = 0;
  try {
    return put(value, 0) ? packed.subarray(0, end) : undefined;
  } finally {
    busy = false;
    seen.length = 0;
  }
}

/** Texts that were read before, by a few of their bytes: names of properties come again and again. */
const known: string[] = new Array<string>(256).fill("");

/** A text of ASCII characters. O(length). */
export function asciiText(bytes: Uint8Array, from: number, to: number): string {
  const length = to - from;
  const place = length === 0 ? 0 : (length * 31 + bytes[from]! * 7 + bytes[to - 1]!) & 255;
  const guess = known[place]!;
  if (guess.length === length) {
    let i = 0;
    while (i < length && guess.charCodeAt(i) === bytes[from + i]) i++;
    if (i === length) return guess;
  }
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  // Long texts rarely come again, and would be kept alive.
  if (length <= 32) known[place] = text;
  return text;
}

let source: Uint8Array = packed;
let at = 0;

function take(): unknown {
  const kind = source[at++];
  if (kind === BYTE) return (source[at++]! << 24) >> 24;
  if (kind === TEXT) return text();
  if (kind === OBJECT) return takeObject();
  if (kind === INT) return takeInt();
  if (kind === DOUBLE) return takeDouble();
  if (kind === ARRAY) return Array.from({ length: source[at++]! }, take);
  if (kind === NULL) return null;
  return kind === UNDEFINED ? undefined : kind === TRUE;
}

function text(): string {
  const from = at + 1;
  at = from + source[at]!;
  return asciiText(source, from, at);
}

function takeInt(): number {
  const value = source[at]! | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
  at += 4;
  return value;
}

function takeDouble(): number {
  for (let i = 0; i < 8; i++) doubleBytes[i] = source[at + i]!;
  at += 8;
  return double[0]!;
}

function takeObject(): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (let left = source[at++]!; left > 0; left--) {
    const key = text();
    value[key] = take();
  }
  return value;
}

/** Read back what `pack` wrote, at `from`. */
export function unpack(bytes: Uint8Array, from: number): unknown {
  source = bytes;
  at = from;
  return take();
}
