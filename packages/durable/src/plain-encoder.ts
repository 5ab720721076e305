/**
 * Encodes plain values as the general encoder does, some times faster: what is hashed of every call.
 *
 * PE1. The bytes are those of the core deterministic encoding (RFC 8949 section 4.2.1), or nothing comes out: for numbers that are no safe
 *      integers, text that is long or not ASCII, objects of classes, and what is nested deep, the general encoder is asked.
 * PE2. Code of a program may run meanwhile (a getter). What it encodes goes to the general encoder; these bytes stay as they are.
 */
import { MAJOR, SIMPLE } from "./record-arena.ts";

const SCRATCH_BYTES = 65_536;
const HEAD_BYTES = 9;
const TEXT_MOST = 256;
const DEPTH_MOST = 16;
const MAP = 0xa0;
const U32 = 4_294_967_296;

const scratch = new Uint8Array(SCRATCH_BYTES);
let end = 0;
let busy = false;

/** The bytes of a value, which are written again by the next call; undefined for a value that is left to the general encoder. */
export function encodePlain(value: unknown): Uint8Array | undefined {
  if (busy) return undefined;
  busy = true;
  end = 0;
  try {
    return write(value, 0) ? scratch.subarray(0, end) : undefined;
  } finally {
    busy = false;
  }
}

/** Returns false for what is not written here, or has no room. */
function write(value: unknown, depth: number): boolean {
  if (typeof value === "string") return writeText(value);
  if (typeof value === "number") return writeInteger(value);
  if (value === null) return writeByte(SIMPLE.null);
  if (value === undefined) return writeByte(SIMPLE.undefined);
  if (typeof value === "boolean") return writeByte(value ? SIMPLE.true : SIMPLE.false);
  if (typeof value !== "object" || depth === DEPTH_MOST) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return writeMap(value as Readonly<Record<string, unknown>>, depth);
  if (prototype === Uint8Array.prototype) return writeBytes(value as Uint8Array);
  return prototype === Array.prototype && writeArray(value as readonly unknown[], depth);
}

function writeArray(values: readonly unknown[], depth: number): boolean {
  if (!writeHead(MAJOR.array, values.length)) return false;
  for (let i = 0; i < values.length; i++) if (!write(values[i], depth + 1)) return false;
  return true;
}

function writeMap(map: Readonly<Record<string, unknown>>, depth: number): boolean {
  if (Symbol.toStringTag in map) return false;
  const keys = Object.keys(map);
  if (keys.length > 1) keys.sort(inOrder);
  if (!writeHead(MAP, keys.length)) return false;
  for (const key of keys) if (!writeText(key) || !write(map[key], depth + 1)) return false;
  return true;
}

/** Keys stand in the order of their encoded bytes: for ASCII first by length, then by characters. */
function inOrder(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : 1);
}

function writeText(text: string): boolean {
  const { length } = text;
  if (length > TEXT_MOST || !writeHead(MAJOR.text, length) || end + length > SCRATCH_BYTES) return false;
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return false;
    scratch[end++] = unit;
  }
  return true;
}

function writeBytes(bytes: Uint8Array): boolean {
  if (!writeHead(MAJOR.bytes, bytes.length) || end + bytes.length > SCRATCH_BYTES) return false;
  scratch.set(bytes, end);
  end += bytes.length;
  return true;
}

function writeInteger(value: number): boolean {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return false;
  return value >= 0 ? writeHead(MAJOR.unsigned, value) : writeHead(MAJOR.negative, -1 - value);
}

function writeByte(byte: number): boolean {
  if (end === SCRATCH_BYTES) return false;
  scratch[end++] = byte;
  return true;
}

function writeHead(major: number, value: number): boolean {
  if (end + HEAD_BYTES > SCRATCH_BYTES) return false;
  if (value < 24) scratch[end++] = major | value;
  else if (value < 256) {
    scratch[end++] = major | 24;
    scratch[end++] = value;
  } else if (value < 65_536) {
    scratch[end++] = major | 25;
    scratch[end++] = value >>> 8;
    scratch[end++] = value;
  } else if (value < U32) {
    scratch[end++] = major | 26;
    writeU32(value);
  } else {
    scratch[end++] = major | 27;
    writeU32(Math.floor(value / U32));
    writeU32(value % U32);
  }
  return true;
}

function writeU32(value: number): void {
  scratch[end++] = value >>> 24;
  scratch[end++] = value >>> 16;
  scratch[end++] = value >>> 8;
  scratch[end++] = value;
}
