/** Exclusive-or of byte strings, four bytes at a time where they lie so that it can be. */

/** `target` becomes `a` exclusive-or `b`; all three have one length, and `target` may be one of the others. */
export function exclusiveOr(target: Uint8Array, a: Uint8Array, b: Uint8Array): void {
  const words = wholeWords(target, a, b);
  if (words > 0) {
    const [into, left, right] = [wordsOf(target, words), wordsOf(a, words), wordsOf(b, words)];
    for (let at = 0; at < words; at++) into[at] = (left[at] as number) ^ (right[at] as number);
  }
  for (let at = words * 4; at < target.length; at++) target[at] = (a[at] as number) ^ (b[at] as number);
}

function wholeWords(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  const aligned = (target.byteOffset | a.byteOffset | b.byteOffset) % 4 === 0;
  return aligned ? target.length >> 2 : 0;
}

function wordsOf(bytes: Uint8Array, words: number): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, words);
}
