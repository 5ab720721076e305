/** Writes the binary format of WebAssembly. */

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  const low = value % 128;
  return value >= 128 ? [low | 0x80, ...leb(Math.floor(value / 128))] : [low];
}

/** Signed LEB128. */
export function signedLeb(value: bigint): number[] {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const done = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
  return done ? [low] : [low | 0x80, ...signedLeb(rest)];
}

/** A section from the parts of its body. */
export function sectionBytes(id: number, body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([Uint8Array.from([id, ...leb(length)]), ...body]);
}
