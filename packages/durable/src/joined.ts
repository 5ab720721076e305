/** Byte strings one after the other. */

/** The whole of some parts: a view, without a copy, when they are a view each and lie one after the other already. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const first = parts[0];
  if (first !== undefined && areNeighbours(parts)) {
    const last = parts[parts.length - 1] as Uint8Array;
    return new Uint8Array(first.buffer, first.byteOffset, last.byteOffset + last.length - first.byteOffset);
  }
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function areNeighbours(parts: readonly Uint8Array[]): boolean {
  let before = parts[0] as Uint8Array;
  for (let i = 1; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    if (part.buffer !== before.buffer || part.byteOffset !== before.byteOffset + before.length) return false;
    before = part;
  }
  return true;
}
