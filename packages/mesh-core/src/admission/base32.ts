/** Crockford's base 32 in lower case: no padding, no letters that look like digits. */

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** The text of some bytes; the last character is filled with zero bits. */
export function toBase32(bytes: Uint8Array): string {
  let text = "";
  let held = 0;
  let bits = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET.charAt((held >> bits) & 31);
    }
  }
  return bits === 0 ? text : text + ALPHABET.charAt((held << (5 - bits)) & 31);
}

/** The bytes of some text, or undefined for a foreign character or bits that do not fill a byte and are not zero. Upper case and o, i, l are read as meant. */
export function fromBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const character of text.toLowerCase()) {
    const value = ALPHABET.indexOf(character.replace("o", "0").replace(/[il]/, "1"));
    if (value < 0) return undefined;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return bits < 5 && (held & ((1 << bits) - 1)) === 0 ? bytes : undefined;
}
