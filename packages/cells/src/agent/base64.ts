/** Base64 (RFC 4648, section 4, with padding), without the help of a host. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUES = new Map([...ALPHABET].map((character, value) => [character, value]));
const FORM = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Bytes as text. O(bytes). */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    parts.push(
      ALPHABET[word >> 18]! +
        ALPHABET[(word >> 12) & 63]! +
        (left > 1 ? ALPHABET[(word >> 6) & 63]! : "=") +
        (left > 2 ? ALPHABET[word & 63]! : "="),
    );
  }
  return parts.join("");
}

/** The bytes of a text; undefined for one that is not base64. Unused bits must be zero. O(characters). */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!FORM.test(text)) return undefined;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let to = 0;
  for (let at = 0; at < text.length; at += 4) {
    let word = 0;
    for (let i = 0; i < 4; i++) word = (word << 6) | (VALUES.get(text[at + i]!) ?? 0);
    for (let shift = 16; shift >= 0 && to < bytes.length; shift -= 8) bytes[to++] = (word >> shift) & 255;
  }
  return toBase64(bytes.subarray(bytes.length - (bytes.length % 3))) === tail(text, bytes.length)
    ? bytes
    : undefined;
}

/** The last group of a text whose bytes do not fill it. */
function tail(text: string, bytes: number): string {
  return bytes % 3 === 0 ? "" : text.slice(-4);
}
