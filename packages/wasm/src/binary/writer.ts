/** Writes the primitives of the WebAssembly binary format, and whole sections. */

const utf8 = new TextEncoder();

/** An unsigned LEB128 integer. */
export function u32(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}

/** A signed LEB128 integer of up to 53 bits. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (;;) {
    const byte = ((rest % 0x80) + 0x80) % 0x80;
    rest = Math.floor(rest / 0x80);
    if ((rest === 0 && byte < 0x40) || (rest === -1 && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** Bytes written one after the other, in an array that grows. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  /** Append all of `bytes`. */
  push(bytes: ArrayLike<number>): void {
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) {
      const wider = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      wider.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = wider;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = end;
  }

  /** What was written; a view until the next push. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** A length-prefixed UTF-8 name. */
export function name(text: string): number[] {
  const bytes = utf8.encode(text);
  return [...u32(bytes.length), ...bytes];
}

/** A section with its id and length. */
export function section(id: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([id, ...u32(content.length)]), content]);
}

/** A custom section. */
export function customSection(title: string, content: Uint8Array): Uint8Array {
  return section(0, concat([Uint8Array.from(name(title)), content]));
}

/** One array out of many. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
