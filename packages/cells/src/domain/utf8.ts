/** Text as bytes and back: UTF-8, by the coder for addresses, for a package that is free of its host has no other. */

/** As bytes. @throws {URIError} for a lone surrogate */
export function bytesOf(text: string): Uint8Array {
  const bytes: number[] = [];
  const coded = encodeURIComponent(text);
  for (let at = 0; at < coded.length; at++) {
    if (coded[at] !== "%") bytes.push(coded.charCodeAt(at));
    else bytes.push(Number.parseInt(coded.slice(at + 1, (at += 2) + 1), 16));
  }
  return Uint8Array.from(bytes);
}

/** As text. @throws {URIError} for what is no UTF-8 */
export function textOf(bytes: Uint8Array): string {
  let coded = "";
  for (const byte of bytes) coded += `%${byte.toString(16).padStart(2, "0")}`;
  return decodeURIComponent(coded);
}
