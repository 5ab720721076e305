/** Little-endian integers and byte strings, written to a buffer that grows and read with every bound checked. */

const U32 = 2 ** 32;

/** Appends to one buffer. Integers are not checked: callers write what they computed. */
export class ByteWriter {
  #data: Buffer;
  /** Bytes written. */
  length = 0;

  constructor(capacity = 256) {
    this.#data = Buffer.allocUnsafe(capacity);
  }

  /** What was written so far; changes with the next write. */
  get bytes(): Buffer {
    return this.#data.subarray(0, this.length);
  }

  u8(value: number): void {
    this.#room(1);
    this.length = this.#data.writeUInt8(value, this.length);
  }

  u32(value: number): void {
    this.#room(4);
    this.length = this.#data.writeUInt32LE(value, this.length);
  }

  /** An integer below 2^53 in eight bytes. */
  u64(value: number): void {
    this.u32(value % U32);
    this.u32(Math.floor(value / U32));
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A hash of 32 bytes given as hexadecimal. */
  hash(hex: string): void {
    this.raw(Buffer.from(hex, "hex"));
  }

  /** Printable ASCII, one byte of length before it. */
  name(text: string): void {
    this.u8(text.length);
    this.raw(Buffer.from(text, "latin1"));
  }

  /** Overwrite four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#data.writeUInt32LE(value, at);
  }

  clear(): void {
    this.length = 0;
  }

  #room(bytes: number): void {
    if (this.length + bytes <= this.#data.length) return;
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#data.length, this.length + bytes));
    larger.set(this.bytes);
    this.#data = larger;
  }
}

/** The bytes ended before what they announce, or a number is too large. Caught where the file and place are known. */
export class ShortBytes {
  readonly at: number;

  constructor(at: number) {
    this.at = at;
  }
}

/** Reads one buffer from its start. Every method throws a {@link ShortBytes} when the bytes do not suffice. */
export class ByteReader {
  readonly #data: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#data.length - this.at;
  }

  u8(): number {
    return this.#data.readUInt8(this.#skip(1));
  }

  u32(): number {
    return this.#data.readUInt32LE(this.#skip(4));
  }

  u64(): number {
    const value = this.u32() + this.u32() * U32;
    if (Number.isSafeInteger(value)) return value;
    throw new ShortBytes(this.at);
  }

  raw(length: number): Uint8Array {
    const at = this.#skip(length);
    return this.#data.subarray(at, at + length);
  }

  hash(): string {
    return Buffer.from(this.raw(32)).toString("hex");
  }

  name(): string {
    return Buffer.from(this.raw(this.u8())).toString("latin1");
  }

  #skip(length: number): number {
    if (length > this.left) throw new ShortBytes(this.at);
    const at = this.at;
    this.at += length;
    return at;
  }
}
