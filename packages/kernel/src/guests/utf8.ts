/** UTF-8 without the host's coders, which a kernel free of input and output has none of. RFC 3629. */

/** The bytes of a text; a lone surrogate becomes U+FFFD. O(length). */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const read = character.codePointAt(0)!;
    const point = read >= 0xd800 && read <= 0xdfff ? 0xfffd : read;
    if (point < 0x80) bytes.push(point);
    else {
      const more = point < 0x800 ? 1 : point < 0x1_0000 ? 2 : 3;
      bytes.push(LEAD[more]! | (point >> (6 * more)));
      for (let rest = more - 1; rest >= 0; rest--) bytes.push(0x80 | ((point >> (6 * rest)) & 0x3f));
    }
  }
  return Uint8Array.from(bytes);
}

/** The text of bytes, or undefined when they are not UTF-8: cut off, overlong, a surrogate, or beyond U+10FFFF. O(length). */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++]!;
    const more = lead < 0x80 ? 0 : lead >= 0xc2 && lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4 || at + more > bytes.length) return undefined;
    let point = more === 0 ? lead : lead & (0x3f >> more);
    for (let rest = 0; rest < more; rest++) {
      const next = bytes[at++]!;
      if ((next & 0xc0) !== 0x80) return undefined;
      point = (point << 6) | (next & 0x3f);
    }
    if (point < LEAST[more]! || point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) return undefined;
    part += String.fromCodePoint(point);
    if (part.length < PART) continue;
    parts.push(part);
    part = "";
  }
  parts.push(part);
  return parts.join("");
}

/** Leading bits by how many bytes follow, and the least code point that needs as many. */
const LEAD: readonly number[] = [0, 0xc0, 0xe0, 0xf0];
const LEAST: readonly number[] = [0, 0x80, 0x800, 0x1_0000];
/** Characters joined at a time. */
const PART = 4096;
