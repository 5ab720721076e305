/**
 * Reads the primitives of the WebAssembly binary format (core specification 2.0, section 5.2).
 *
 * R1. Nothing is read past the end: every shortfall is a {@link MalformedModuleError}.
 */
import { MalformedModuleError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A cursor over a range of bytes. */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new MalformedModuleError(`unexpected end at byte ${this.at}`);
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 integer of at most 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break;
        return value;
      }
    }
    throw new MalformedModuleError(`integer too long at byte ${this.at}`);
  }

  /** A signed LEB128 integer of 32 bits. */
  s32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return shift < 28 && (byte & 0x40) !== 0 ? value | (-1 << (shift + 7)) : value;
    }
    throw new MalformedModuleError(`integer too long at byte ${this.at}`);
  }

  /** Skip one LEB128 integer of at most `bytes` bytes. */
  skipLeb(bytes: number): void {
    for (let i = 0; i < bytes; i++) if (this.u8() < 0x80) return;
    throw new MalformedModuleError(`integer too long at byte ${this.at}`);
  }

  skip(count: number): void {
    if (count > this.end - this.at) throw new MalformedModuleError(`unexpected end at byte ${this.end}`);
    this.at += count;
  }

  /** A vector's length; every element takes at least one byte, so longer claims are refused at once. */
  count(): number {
    const count = this.u32();
    if (count > this.end - this.at)
      throw new MalformedModuleError(`a list of ${count} does not fit at byte ${this.at}`);
    return count;
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    try {
      return utf8.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw new MalformedModuleError(`a name at byte ${start} is not UTF-8`);
    }
  }
}
