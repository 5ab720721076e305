/**
 * Values and names of jobs as bytes in shared memory. Frequent small values have short forms; everything else takes V8's own format.
 *
 * B1. A value that is not plain data is refused: functions, symbols, shared memory. Instances of classes arrive as plain objects.
 */
import { deserialize, serialize } from "node:v8";
import { JobNotSerialisableError } from "./errors.ts";
import { asciiText, pack, unpack } from "./small-values.ts";

export const FORM_UNDEFINED = 0;
/** The number lies in the words of the slot. */
export const FORM_NUMBER = 1;
export const FORM_ASCII = 2;
export const FORM_BYTES = 3;
export const FORM_CLONE = 4;
/** As `small-values.ts` writes it. */
export const FORM_PACKED = 5;
/** A longer text as UTF-8. */
export const FORM_TEXT = 6;

/** Longest text that is written character by character. */
const ASCII_LIMIT = 256;

const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** A value ready to be written. */
export interface Encoded {
  form: number;
  /** Bytes it takes. */
  length: number;
  /** For `FORM_NUMBER`; 0 otherwise. */
  number: number;
  /** For `FORM_ASCII`. */
  text: string;
  /** For the other forms. */
  bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);
/** What `encode` gives; written over by its next call. */
const encoded: Encoded = { form: FORM_UNDEFINED, length: 0, number: 0, text: "", bytes: NOTHING };

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** For the forms without bytes, and short texts. */
function inWords(form: number, number: number, text: string): Encoded {
  encoded.form = form;
  encoded.length = text.length;
  encoded.number = number;
  encoded.text = text;
  encoded.bytes = NOTHING;
  return encoded;
}

function inBytes(form: number, bytes: Uint8Array): Encoded {
  encoded.form = form;
  encoded.length = bytes.length;
  encoded.number = 0;
  encoded.text = "";
  encoded.bytes = bytes;
  return encoded;
}

/** Encode a value. The answer is valid until the next call. @throws {JobNotSerialisableError} (B1) */
export function encode(value: unknown, what: string): Encoded {
  if (typeof value === "number") return inWords(FORM_NUMBER, value, "");
  if (value === undefined) return inWords(FORM_UNDEFINED, 0, "");
  if (typeof value === "string") {
    if (value.length <= ASCII_LIMIT && isAscii(value)) return inWords(FORM_ASCII, 0, value);
    // Half a surrogate pair has no UTF-8.
    if (value.isWellFormed()) return inBytes(FORM_TEXT, utf8.encode(value));
  } else if (value instanceof Uint8Array && value.constructor === Uint8Array) {
    if (!(value.buffer instanceof ArrayBuffer))
      throw new JobNotSerialisableError(what, "it is shared memory, which would be copied");
    return inBytes(FORM_BYTES, value);
  }
  try {
    const small = pack(value);
    return small === undefined ? inBytes(FORM_CLONE, serialize(value)) : inBytes(FORM_PACKED, small);
  } catch (error) {
    throw new JobNotSerialisableError(what, error instanceof Error ? error.message : String(error));
  }
}

/** Write what `encode` gave. */
export function writeValue(target: Uint8Array, at: number, value: Encoded): void {
  if (value.length === 0) return;
  if (value.form !== FORM_ASCII) target.set(value.bytes, at);
  else for (let i = 0; i < value.length; i++) target[at + i] = value.text.charCodeAt(i);
}

/** What of `Encoded` lies in the words of a slot. */
export type Stored = Pick<Encoded, "form" | "length" | "number">;

/** Read a value whose bytes begin at `at` back. Bytes are copied out of shared memory. */
export function decode({ form, length, number }: Stored, bytes: Uint8Array, at: number): unknown {
  if (form === FORM_NUMBER) return number;
  if (form === FORM_UNDEFINED) return undefined;
  if (form === FORM_PACKED) return unpack(bytes, at);
  if (form === FORM_ASCII) return asciiText(bytes, at, at + length);
  if (form === FORM_TEXT) return Buffer.from(bytes.buffer, bytes.byteOffset + at, length).toString("utf8");
  const own = bytes.slice(at, at + length);
  return form === FORM_BYTES ? own : deserialize(own);
}

/** Write a text with its length at `at`; returns where the next begins. Longest form: 2 + 3 bytes per character. */
function writeText(bytes: Uint8Array, at: number, text: string): number {
  let { length } = text;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) {
      const coded = utf8.encode(text);
      length = coded.length;
      bytes.set(coded, at + 2);
      break;
    }
    bytes[at + 2 + i] = code;
  }
  bytes[at] = length & 0xff;
  bytes[at + 1] = length >> 8;
  return at + 2 + length;
}

/** What a job is called: everything of an envelope but entry and payload. */
export interface JobNames {
  readonly id: string;
  readonly origin: string;
  readonly lineage: readonly string[];
}

/** Most bytes the names of a job can take: 3 per character. */
export function namesBytes(names: JobNames): number {
  let size = 5 + 3 * (names.id.length + names.origin.length);
  for (const id of names.lineage) size += 2 + 3 * id.length;
  return size;
}

/** Write names at `at`; returns where they end. */
export function writeNames(bytes: Uint8Array, at: number, names: JobNames): number {
  let end = writeText(bytes, writeText(bytes, at, names.id), names.origin);
  bytes[end++] = names.lineage.length;
  for (const id of names.lineage) end = writeText(bytes, end, id);
  return end;
}

/** Read the names at `from` back. */
export function readNames(bytes: Uint8Array, from: number): JobNames {
  let at = from;
  const text = (): string => {
    const length = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2 + length;
    const part = bytes.subarray(at - length, at);
    return part.every((byte) => byte < 128) ? asciiText(part, 0, length) : fromUtf8.decode(part.slice());
  };
  const id = text();
  const origin = text();
  const lineage = Array.from({ length: bytes[at++]! }, text);
  return { id, origin, lineage };
}
