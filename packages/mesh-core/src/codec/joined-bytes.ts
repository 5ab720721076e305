/** Bytes in parts, on their way into a message. */
import { concat } from "./ascii.ts";

/** Byte strings that stand for one, one behind the other: what is large becomes a part of a message without being copied before. */
export class JoinedBytes {
  readonly parts: readonly Uint8Array[];
  /** Bytes of all parts. */
  readonly length: number;

  constructor(parts: readonly Uint8Array[]) {
    this.parts = parts;
    this.length = parts.reduce((length, part) => length + part.length, 0);
  }
}

/** What `bytes` are made of, in order. */
export function partsOf(bytes: Uint8Array | JoinedBytes): readonly Uint8Array[] {
  return bytes instanceof JoinedBytes ? bytes.parts : [bytes];
}

/** `bytes` in one piece; copied only if they are not. */
export function inOnePiece(bytes: Uint8Array | JoinedBytes): Uint8Array {
  return bytes instanceof JoinedBytes ? concat(...bytes.parts) : bytes;
}
