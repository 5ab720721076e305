/**
 * Values and names of jobs as bytes in shared memory. Frequent small values have short forms; everything else takes V8's own format.
 *
 * B1. A value that is not plain data is refused: functions, symbols, shared memory. Instances of classes arrive as plain objects.
 */
import { deserialize, serialize } from "node:v8";
import { JobNotSerialisableError } from "./errors.ts";

export const FORM_UNDEFINED = 0;
export const FORM_NUMBER = 1;
export const FORM_ASCII = 2;
export const FORM_BYTES = 3;
export const FORM_CLONE = 4;

/** Longest text that is written character by character. */
const ASCII_LIMIT = 256;

const float = new Float64Array(1);
const floatBytes = new Uint8Array(float.buffer);
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

/** A value ready to be written: its form and, for the forms that need it, its bytes. */
export interface Encoded {
  form: number;
  bytes: Uint8Array;
}

/** What `encode` gives; written over by its next call. */
const encoded: Encoded = { form: FORM_UNDEFINED, bytes: new Uint8Array(0) };
const scratch = new Uint8Array(ASCII_LIMIT);
const NOTHING = new Uint8Array(0);

function ascii(text: string): Uint8Array | undefined {
  if (text.length > ASCII_LIMIT) return undefined;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return undefined;
    scratch[i] = code;
  }
  return scratch.subarray(0, text.length);
}

function set(form: number, bytes: Uint8Array): Encoded {
  encoded.form = form;
  encoded.bytes = bytes;
  return encoded;
}

/** Encode a value. The answer is valid until the next call. @throws {JobNotSerialisableError} (B1) */
export function encode(value: unknown, what: string): Encoded {
  if (value === undefined) return set(FORM_UNDEFINED, NOTHING);
  if (typeof value === "number") {
    float[0] = value;
    return set(FORM_NUMBER, floatBytes);
  }
  if (typeof value === "string") {
    const bytes = ascii(value);
    if (bytes !== undefined) return set(FORM_ASCII, bytes);
  } else if (value instanceof Uint8Array && value.constructor === Uint8Array) {
    if (!(value.buffer instanceof ArrayBuffer))
      throw new JobNotSerialisableError(what, "it is shared memory, which would be copied");
    return set(FORM_BYTES, value);
  }
  try {
    return set(FORM_CLONE, serialize(value));
  } catch (error) {
    throw new JobNotSerialisableError(what, error instanceof Error ? error.message : String(error));
  }
}

/** Read a value back. Bytes are copied out of shared memory. */
export function decode(form: number, bytes: Uint8Array): unknown {
  if (form === FORM_UNDEFINED) return undefined;
  if (form === FORM_NUMBER) {
    floatBytes.set(bytes);
    return float[0];
  }
  if (form === FORM_ASCII) return asciiText(bytes, 0, bytes.length);
  const own = bytes.slice();
  return form === FORM_BYTES ? own : deserialize(own);
}

function asciiText(bytes: Uint8Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}

/** Write a text with its length at `at`; returns where the next begins. Longest form: 2 + 3 bytes per character. */
function writeText(bytes: Uint8Array, at: number, text: string): number {
  let length = text.length;
  const plain = ascii(text);
  if (plain !== undefined) for (let i = 0; i < length; i++) bytes[at + 2 + i] = plain[i]!;
  else {
    const coded = utf8.encode(text);
    length = coded.length;
    bytes.set(coded, at + 2);
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

/** Write names at the start of `bytes`; returns how many bytes they took. */
export function writeNames(bytes: Uint8Array, names: JobNames): number {
  let at = writeText(bytes, writeText(bytes, 0, names.id), names.origin);
  bytes[at++] = names.lineage.length;
  for (const id of names.lineage) at = writeText(bytes, at, id);
  return at;
}

/** Read names back. */
export function readNames(bytes: Uint8Array): JobNames {
  let at = 0;
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
