/**
 * The subset of DER (ITU-T X.690) that a node certificate needs. Written here because no maintained library encodes the
 * 128-bit arc of our object identifier (asn1js 3 drops it without an error).
 *
 * D1. Reading never goes past the given bytes and never allocates by a length it read.
 * D2. Only definite, minimally encoded lengths are accepted (X.690 section 10.1), so one value has one encoding.
 */
import { PeerCertificateError } from "./errors.ts";

/** Tags in use (X.690 section 8). */
export const DER_TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  explicit0: 0xa0,
  explicit3: 0xa3,
} as const;

/** Longest length field read: three bytes, which is far above any certificate accepted. */
const LENGTH_BYTES_MAX = 3;

/** A value inside some bytes. */
export interface DerValue {
  readonly tag: number;
  /** Where the content starts. */
  readonly start: number;
  /** Where the content ends and the next value starts. */
  readonly end: number;
}

/** One value: tag, length and the parts of its content. */
export function derValue(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), derLength(content.length), content]);
}

function derLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** A positive integer from its big-endian bytes. */
export function derPositiveInteger(bytes: Uint8Array): Uint8Array {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first++;
  const magnitude = bytes.subarray(first);
  const padding = ((magnitude[0] ?? 0) & 0x80) !== 0 ? Uint8Array.of(0) : new Uint8Array(0);
  return derValue(DER_TAG.integer, padding, magnitude);
}

/** A point in time, whole seconds: UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5). */
export function derTime(ms: number): Uint8Array {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, "Z")
    .replace(/[-:T]/g, "");
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? derValue(DER_TAG.utcTime, Buffer.from(digits.slice(2), "latin1"))
    : derValue(DER_TAG.generalizedTime, Buffer.from(digits, "latin1"));
}

function malformed(why: string): PeerCertificateError {
  return new PeerCertificateError("malformed", `its DER is malformed: ${why}`);
}

/** The value that starts at `offset` and ends no later than `limit` (D1, D2). @throws {PeerCertificateError} */
export function readDer(bytes: Uint8Array, offset: number, limit: number): DerValue {
  if (offset + 2 > limit) throw malformed("a value is cut off");
  const tag = bytes[offset]!;
  if ((tag & 0x1f) === 0x1f) throw malformed("a tag has several bytes");
  const first = bytes[offset + 1]!;
  let start = offset + 2;
  let length = first;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > LENGTH_BYTES_MAX) throw malformed("a length is indefinite or huge");
    if (start + count > limit) throw malformed("a length is cut off");
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + bytes[start + i]!;
    if (length < 0x80 || bytes[start] === 0) throw malformed("a length is not minimal");
    start += count;
  }
  if (start + length > limit) throw malformed("a value goes past its container");
  return { tag, start, end: start + length };
}

/** The values that fill a container exactly. @throws {PeerCertificateError} */
export function readDerChildren(bytes: Uint8Array, container: DerValue): readonly DerValue[] {
  const children: DerValue[] = [];
  for (let at = container.start; at < container.end; ) {
    const child = readDer(bytes, at, container.end);
    children.push(child);
    at = child.end;
  }
  return children;
}
