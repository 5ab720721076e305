/** Lower-case hexadecimal, the text form of every binary id. */
import { MalformedError } from "../errors/glia-error.ts";

const DIGITS = "0123456789abcdef";

/** The lower-case hexadecimal text of some bytes. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += DIGITS.charAt(byte >> 4) + DIGITS.charAt(byte & 15);
  return text;
}

/** The bytes of lower-case hexadecimal text. @throws {MalformedError} for an odd length or a character outside 0-9a-f. */
export function fromHex(text: string, what = "hexadecimal text"): Uint8Array {
  if (text.length % 2 !== 0) throw new MalformedError(what, `its length ${text.length} is odd`);
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = DIGITS.indexOf(text.charAt(2 * i));
    const low = DIGITS.indexOf(text.charAt(2 * i + 1));
    if (high < 0 || low < 0) throw new MalformedError(what, `character ${2 * i} or the next is not 0-9a-f`);
    bytes[i] = high * 16 + low;
  }
  return bytes;
}
