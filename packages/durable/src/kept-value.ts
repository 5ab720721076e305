/** A value of a record that is kept as blobs, for readers that have none. */

const HASH_BYTES = 32;

/** Stands where the value would. */
export class KeptValue {
  /** SHA-256 of the parts of its encoded form, in order, hexadecimal: the names of blobs. */
  readonly parts: readonly string[];

  constructor(hashes: Uint8Array) {
    this.parts = partsOf(hashes);
  }
}

/** The names of blobs in hashes that stand one after the other. */
export function partsOf(hashes: Uint8Array): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < hashes.length; at += HASH_BYTES)
    parts.push(hexOf(hashes.subarray(at, at + HASH_BYTES)));
  return parts;
}

/** Bytes as hexadecimal digits in lower case. */
export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
