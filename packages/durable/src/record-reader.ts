/**
 * Reads the fixed part of a record and the commonest outcomes without the general decoder.
 *
 * RR1. Only what `record-arena.ts` writes by itself is read here. Anything else, also what is damaged or not deterministic, is
 *      left to the general decoder, which knows what to refuse.
 */
import { MAJOR, SIMPLE } from "./record-arena.ts";

const RECORD = MAJOR.array | 6;
/** A byte string of 32 bytes. */
const HASH_HEAD = [MAJOR.bytes | 24, 32] as const;
const HASH_BYTES = 32;
const SHORT_TEXT = 256;
const U32 = 4_294_967_296;
const NO_PATH: readonly number[] = [];

/** The parts of a record before its outcome, and the outcome when it was read too. */
export interface RecordRow {
  readonly kind: number;
  readonly seq: number;
  readonly path: readonly number[];
  readonly op: number;
  /** The 32 bytes at `hashAt` of these are the hash of the arguments; null for none. A view of them would cost more than all the rest. */
  readonly hashIn: Uint8Array | null;
  readonly hashAt: number;
  readonly outcome: unknown;
  /** Where the record ends. */
  readonly end: number;
}

/** Where reading stands; -1 when it found something that is not read here. */
let at = 0;
/** The text that was read last. */
let lastText = "";

/** The record at a place; undefined for one that the general decoder reads. O(its length). */
export function readRow(bytes: Uint8Array, start: number): RecordRow | undefined {
  if (bytes[start] !== RECORD) return undefined;
  at = start + 1;
  const kind = readUnsigned(bytes);
  const seq = readUnsigned(bytes);
  const path = readPath(bytes);
  const op = readUnsigned(bytes);
  const hashAt = readHash(bytes);
  const hashIn = hashAt === 0 ? null : bytes;
  const outcome = readOutcome(bytes);
  return at < 0 || at > bytes.length ? undefined : { kind, seq, path, op, hashIn, hashAt, outcome, end: at };
}

/** The value at a place, of those kinds that are read here; where it ends, or that it is of another kind, says {@link valueEnd}. */
export function valueAt(bytes: Uint8Array, start: number): unknown {
  at = start;
  const value = readOutcome(bytes);
  if (at > bytes.length) at = -1;
  return value;
}

/** Where the value ends that was read last; -1 for one that is left to the general decoder. */
export function valueEnd(): number {
  return at;
}

function readUnsigned(bytes: Uint8Array): number {
  return readHead(bytes, MAJOR.unsigned);
}

/** An integer under a major type, in its shortest form. */
function readHead(bytes: Uint8Array, major: number): number {
  if (at < 0) return 0;
  const first = (bytes[at++] as number) ^ major;
  if (first < 24) return first;
  if (first > 27) return refuse();
  const length = 1 << (first - 24);
  if (at + length > bytes.length) return refuse();
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at++] as number);
  const least = first === 24 ? 24 : first === 25 ? 256 : first === 26 ? 65_536 : U32;
  return value >= least && value <= Number.MAX_SAFE_INTEGER ? value : refuse();
}

function readPath(bytes: Uint8Array): readonly number[] {
  const length = readHead(bytes, MAJOR.array);
  if (length === 0 || at < 0) return NO_PATH;
  const path: number[] = [];
  for (let i = 0; i < length && at >= 0; i++) path.push(readUnsigned(bytes));
  return path;
}

/** Where a hash stands, 0 for null. */
function readHash(bytes: Uint8Array): number {
  if (at < 0) return 0;
  if (bytes[at] === SIMPLE.null) {
    at += 1;
    return 0;
  }
  if (bytes[at] !== HASH_HEAD[0] || bytes[at + 1] !== HASH_HEAD[1]) return refuse();
  at += 2 + HASH_BYTES;
  return at - HASH_BYTES;
}

/** Whether a record has this hash. */
export function hasHash({ hashIn, hashAt }: RecordRow, hash: Uint8Array | null): boolean {
  if (hashIn === null || hash === null) return hashIn === hash;
  if (hash.length !== HASH_BYTES) return false;
  for (let i = 0; i < HASH_BYTES; i++) if (hashIn[hashAt + i] !== hash[i]) return false;
  return true;
}

/** The hash of a record as bytes of its own. */
export function hashOf({ hashIn, hashAt }: RecordRow): Uint8Array | null {
  return hashIn === null ? null : hashIn.slice(hashAt, hashAt + HASH_BYTES);
}

function readOutcome(bytes: Uint8Array): unknown {
  if (at < 0) return undefined;
  const first = bytes[at] as number;
  const major = first & 0xe0;
  if (major === MAJOR.unsigned) return readUnsigned(bytes);
  if (major === MAJOR.text) return readText(bytes);
  if (major === MAJOR.bytes) return readBytes(bytes);
  at += 1;
  if (first === SIMPLE.null) return null;
  if (first === SIMPLE.undefined) return undefined;
  if (first === SIMPLE.true || first === SIMPLE.false) return first === SIMPLE.true;
  return refuse();
}

function readText(bytes: Uint8Array): string {
  const length = readHead(bytes, MAJOR.text);
  if (at < 0 || length > SHORT_TEXT || at + length > bytes.length) {
    refuse();
    return "";
  }
  // Services often answer what they answered before; text is the same wherever it was made.
  if (isLastText(bytes, length)) {
    at += length;
    return lastText;
  }
  let text = "";
  for (const end = at + length; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte > 0x7f) {
      refuse();
      return "";
    }
    text += String.fromCharCode(byte);
  }
  lastText = text;
  return text;
}

function isLastText(bytes: Uint8Array, length: number): boolean {
  if (length !== lastText.length) return false;
  for (let i = 0; i < length; i++) if (bytes[at + i] !== lastText.charCodeAt(i)) return false;
  return true;
}

/** Bytes of their own, as the general decoder gives them. */
function readBytes(bytes: Uint8Array): Uint8Array | undefined {
  const length = readHead(bytes, MAJOR.bytes);
  if (at < 0 || at + length > bytes.length) {
    refuse();
    return undefined;
  }
  at += length;
  return bytes.slice(at - length, at);
}

function refuse(): number {
  at = -1;
  return 0;
}
