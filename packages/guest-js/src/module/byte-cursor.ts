/** Reads the binary format of WebAssembly, as far as the sections that are written again need it. */
import { EngineMismatchError } from "../errors.ts";

/** A place in a module. Reading past its end throws. */
export class ByteCursor {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  at: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.at = start;
    this.#end = end;
    if (end > bytes.length || start > end) throw new EngineMismatchError("it is cut short");
  }

  get done(): boolean {
    return this.at >= this.#end;
  }

  byte(): number {
    if (this.done) throw new EngineMismatchError("it is cut short");
    return this.#bytes[this.at++] as number;
  }

  /** An unsigned LEB128 of 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new EngineMismatchError("a number in it is too long");
  }

  skip(count: number): void {
    this.at += count;
    if (this.at > this.#end) throw new EngineMismatchError("it is cut short");
  }

  /** A cursor over the next bytes; this one goes on after them. */
  view(length: number): ByteCursor {
    const start = this.at;
    this.skip(length);
    return new ByteCursor(this.#bytes, start, start + length);
  }

  /** All bytes from here on. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.at, this.#end);
  }

  between(start: number, end: number): Uint8Array {
    return this.#bytes.subarray(start, end);
  }

  /** Skip a constant expression of one instruction and its end. */
  constantExpression(): void {
    const opcode = this.byte();
    if (opcode === 0x41 || opcode === 0x42 || opcode === 0x23 || opcode === 0xd2) while (this.byte() >= 0x80);
    else if (opcode === 0x43) this.skip(4);
    else if (opcode === 0x44) this.skip(8);
    else if (opcode === 0xd0) this.skip(1);
    else throw new EngineMismatchError(`a global starts with opcode ${opcode}`);
    if (this.byte() !== 0x0b) throw new EngineMismatchError("a global starts with more than a constant");
  }
}
