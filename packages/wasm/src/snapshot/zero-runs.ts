/**
 * Bytes that are mostly zeros, as the stretches that are not: what changed between two states of a page, where calling a general
 * compressor would take longer than everything else.
 *
 * ZR1. The form is a sequence of (zeros, count, count bytes), zeros and count as unsigned LEB128 of at most 32 bits; zeros to the
 *      end are left out. One content has one form.
 * ZR2. Reading needs the length of the content from outside and tells nothing beyond it.
 */

/** Fewer zeros than this between two stretches cost less as bytes than as a new stretch. */
const LEAST_ZEROS = 3;
/** The two numbers before a stretch, at their longest. */
const MOST_HEAD_BYTES = 10;

/** The form, or undefined when it would be longer than `most` bytes. */
export function encodeZeroRuns(content: Uint8Array, most: number): Uint8Array | undefined {
  const out = new Uint8Array(Math.min(most, content.length) + MOST_HEAD_BYTES);
  const words = wordsOf(content);
  let length = 0;
  let written = 0;
  for (
    let at = nextNonZero(content, words, 0);
    at < content.length;
    at = nextNonZero(content, words, written)
  ) {
    const end = stretchEnd(content, words, at);
    length = putNumber(out, length, at - written);
    length = putNumber(out, length, end - at);
    if (length + end - at > most) return undefined;
    for (let byte = at; byte < end; byte++) out[length++] = content[byte] as number;
    written = end;
  }
  return out.slice(0, length);
}

/**
 * Tell the stretches of a form of `size` bytes of content in order: where one lies in the content, where its bytes lie in the form, and
 * how many. False, after the stretches before, when the form is not one of so many bytes (ZR2).
 */
export function readZeroRuns(
  form: Uint8Array,
  size: number,
  stretch: (to: number, from: number, count: number) => void,
): boolean {
  const from = { at: 0 };
  let to = 0;
  while (from.at < form.length) {
    const zeros = readNumber(form, from);
    const count = readNumber(form, from);
    if (zeros === undefined || count === undefined || count === 0) return false;
    to += zeros;
    if (to + count > size || from.at + count > form.length) return false;
    stretch(to, from.at, count);
    from.at += count;
    to += count;
  }
  return true;
}

/** The content four bytes at a time, or nothing when it does not lie so that it can be. */
function wordsOf({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >> 2) : new Int32Array();
}

function nextNonZero(content: Uint8Array, words: Int32Array, from: number): number {
  let at = from;
  while (at % 4 !== 0 && content[at] === 0) at += 1;
  if (at % 4 === 0) {
    let word = at >> 2;
    while (words[word] === 0) word += 1;
    at = Math.max(at, Math.min(word, words.length) * 4);
  }
  while (content[at] === 0) at += 1;
  return at;
}

/** Where the stretch that starts at `from` ends: before enough zeros, or before zeros that go on to the end. */
function stretchEnd(content: Uint8Array, words: Int32Array, from: number): number {
  let end = from;
  for (;;) {
    while (end < content.length && content[end] !== 0) end += 1;
    const next = nextNonZero(content, words, end);
    if (next - end >= LEAST_ZEROS || next === content.length) return end;
    end = next;
  }
}

/** Write a number at `at`; where it ends. */
function putNumber(out: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest > 0x7f) {
    out[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[end] = rest;
  return end + 1;
}

function readNumber(form: Uint8Array, from: { at: number }): number | undefined {
  let value = 0;
  for (let digits = 0, weight = 1; digits < 5; digits += 1, weight *= 128) {
    const byte = form[from.at];
    if (byte === undefined) return undefined;
    from.at += 1;
    value += (byte & 0x7f) * weight;
    if (byte < 0x80) return value < 2 ** 32 ? value : undefined;
  }
  return undefined;
}
