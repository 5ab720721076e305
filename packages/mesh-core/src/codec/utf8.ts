/**
 * UTF-8 (RFC 3629) without the host's encoder, which pure packages do not have.
 *
 * UT1. What is read is exactly UTF-8: no overlong form, no half of a surrogate pair, nothing above U+10FFFF, and a byte order mark is a character.
 * UT2. Half of a surrogate pair has no UTF-8: U+FFFD is written for it, as encoders of the web do (WHATWG Encoding, "to well-formed").
 */

const REPLACEMENT = 0xfffd;
/** Characters made into text at once: as many arguments as any engine takes. */
const UNITS_AT_ONCE = 4096;
/** Least code point that needs as many continuation bytes as its index says; a shorter form is not UTF-8. */
const LEAST: readonly number[] = [0, 0x80, 0x800, 0x1_0000];

/** The code point that starts at `at`, half a pair replaced (UT2). One above U+FFFF takes two units. */
function pointAt(text: string, at: number): number {
  const point = text.codePointAt(at) as number;
  return point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point;
}

/** How many bytes the text has in UTF-8. O(text). */
export function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (pointAt(text, at) < 0x1_0000) bytes += 3;
    else {
      bytes += 4;
      at += 1;
    }
  }
  return bytes;
}

/** Write the text at `at`, where there is room for it; where it ends. */
export function writeUtf8(text: string, target: Uint8Array, at: number): number {
  let end = at;
  for (let from = 0; from < text.length; from++) {
    const unit = text.charCodeAt(from);
    if (unit < 0x80) {
      target[end++] = unit;
      continue;
    }
    const point = pointAt(text, from);
    if (point >= 0x1_0000) from += 1;
    end = writePoint(point, target, end);
  }
  return end;
}

function writePoint(point: number, target: Uint8Array, at: number): number {
  const more = point < 0x800 ? 1 : point < 0x1_0000 ? 2 : 3;
  const mark = more === 1 ? 0xc0 : more === 2 ? 0xe0 : 0xf0;
  target[at] = mark | (point >> (6 * more));
  for (let left = more - 1; left >= 0; left--)
    target[at + more - left] = 0x80 | ((point >> (6 * left)) & 0x3f);
  return at + more + 1;
}

/** The text in `bytes`; undefined when they are not UTF-8 (UT1). O(bytes). */
export function textOf(bytes: Uint8Array): string | undefined {
  let text = "";
  let units: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const head = bytes[at++] as number;
    if (head < 0x80) units.push(head);
    else {
      const more = head >> 5 === 6 ? 1 : head >> 4 === 14 ? 2 : head >> 3 === 30 ? 3 : 0;
      const point = pointOf(bytes, at, head, more);
      if (point === undefined) return undefined;
      at += more;
      if (point < 0x1_0000) units.push(point);
      else units.push(0xd800 + ((point - 0x1_0000) >> 10), 0xdc00 + ((point - 0x1_0000) & 0x3ff));
    }
    if (units.length < UNITS_AT_ONCE) continue;
    text += String.fromCharCode(...units);
    units = [];
  }
  return text + String.fromCharCode(...units);
}

/** The code point of `head` and `more` bytes that follow; undefined when they are not UTF-8. */
function pointOf(bytes: Uint8Array, from: number, head: number, more: number): number | undefined {
  if (more === 0 || from + more > bytes.length) return undefined;
  let point = head & (0x3f >> more);
  for (let at = from; at < from + more; at++) {
    const next = bytes[at] as number;
    if (next >> 6 !== 2) return undefined;
    point = (point << 6) | (next & 0x3f);
  }
  const half = point >= 0xd800 && point <= 0xdfff;
  return point < (LEAST[more] as number) || point > 0x10_ffff || half ? undefined : point;
}
