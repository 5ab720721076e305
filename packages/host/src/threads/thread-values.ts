/**
 * Plain values as bytes, for messages that cross threads by shared memory: a fraction of what the engine's structured clone costs.
 *
 * TV1. What is written is read back as structured clone would give it: undefined, null, booleans, numbers, well-formed text, lists, plain
 *      objects, and bytes. Everything else is declined, for the port to carry or to refuse: objects of classes, maps, big integers,
 *      functions, lone surrogates, shared memory, a key `__proto__`, more than {@link DEPTH_MOST} levels.
 * TV2. Two things differ, and no reader of such messages can mean them: an object that is in a message twice arrives as two, and a hole in
 *      a list as undefined. Of a view of bytes only its own bytes cross.
 * TV3. Nothing is written beyond the room that is given; a value that does not fit is declined.
 */
import { asciiText } from "../engines/small-values.ts";

/** Levels of lists and objects within each other. */
export const DEPTH_MOST = 64;
/** Longest text that is written and read character by character. */
const SHORT_TEXT = 64;

const UNDEFINED = 0;
const NULL = 1;
const FALSE = 2;
const TRUE = 3;
/** A whole number of one signed byte, of four, and any other number. */
const BYTE = 4;
const INT = 5;
const DOUBLE = 6;
/** ASCII with its length in one byte; UTF-8 with its length in four. */
const TEXT = 7;
const LONG_TEXT = 8;
/** These have a count of four bytes. */
const LIST = 9;
const OBJECT = 10;
const BYTES = 11;
/** Longest head of a value: kind and eight bytes of a number. */
const HEAD_BYTES = 9;

const double = new Float64Array(1);
const doubleBytes = new Uint8Array(double.buffer);

/** Writes values into memory of its own. */
export class ValueWriter {
  readonly #room: Buffer;
  #end = 0;

  /** `bytes`: the most that one value takes. */
  constructor(bytes: number) {
    this.#room = Buffer.allocUnsafeSlow(bytes);
  }

  /** The bytes of a value, valid until the next call; undefined when it is declined. What getters throw passes through. */
  write(value: unknown): Uint8Array | undefined {
    this.#end = 0;
    return this.#put(value, DEPTH_MOST) ? this.#room.subarray(0, this.#end) : undefined;
  }

  #put(value: unknown, depth: number): boolean {
    if (this.#end + HEAD_BYTES > this.#room.length) return false;
    switch (typeof value) {
      case "string":
        return this.#text(value);
      case "number":
        return this.#number(value);
      case "boolean":
        return this.#kind(value ? TRUE : FALSE);
      case "undefined":
        return this.#kind(UNDEFINED);
      case "object":
        return value === null ? this.#kind(NULL) : depth > 0 && this.#compound(value, depth);
      default:
        return false;
    }
  }

  #kind(kind: number): true {
    this.#room[this.#end++] = kind;
    return true;
  }

  #word(kind: number, word: number): void {
    const room = this.#room;
    const at = this.#end;
    room[at] = kind;
    room[at + 1] = word;
    room[at + 2] = word >> 8;
    room[at + 3] = word >> 16;
    room[at + 4] = word >> 24;
    this.#end = at + 5;
  }

  #number(value: number): true {
    const room = this.#room;
    const at = this.#end;
    if ((value | 0) !== value || Object.is(value, -0)) {
      room[at] = DOUBLE;
      double[0] = value;
      for (let i = 0; i < 8; i++) room[at + 1 + i] = doubleBytes[i]!;
      this.#end = at + 9;
    } else if (value >= -128 && value < 128) {
      room[at] = BYTE;
      room[at + 1] = value;
      this.#end = at + 2;
    } else this.#word(INT, value);
    return true;
  }

  #text(text: string): boolean {
    const { length } = text;
    if (length > SHORT_TEXT) return this.#longText(text);
    const room = this.#room;
    const at = this.#end + 2;
    if (at + length > room.length) return false;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return this.#longText(text);
      room[at + i] = code;
    }
    room[at - 2] = TEXT;
    room[at - 1] = length;
    this.#end = at + length;
    return true;
  }

  #longText(text: string): boolean {
    const from = this.#end + 5;
    if (from + 3 * text.length > this.#room.length || !text.isWellFormed()) return false;
    const written = this.#room.write(text, from, "utf8");
    this.#word(LONG_TEXT, written);
    this.#end += written;
    return true;
  }

  #compound(value: object, depth: number): boolean {
    if (Array.isArray(value)) {
      this.#word(LIST, value.length);
      for (let i = 0; i < value.length; i++) if (!this.#put(value[i], depth - 1)) return false;
      return true;
    }
    if (value instanceof Uint8Array) return this.#bytes(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    return (prototype === Object.prototype || prototype === null) && this.#object(value, depth);
  }

  #bytes(bytes: Uint8Array): boolean {
    if (bytes.buffer instanceof SharedArrayBuffer) return false;
    if (this.#end + HEAD_BYTES + bytes.length > this.#room.length) return false;
    this.#word(BYTES, bytes.length);
    this.#room.set(bytes, this.#end);
    this.#end += bytes.length;
    return true;
  }

  #object(value: object, depth: number): boolean {
    const keys = Object.keys(value);
    this.#word(OBJECT, keys.length);
    for (const key of keys) {
      if (key === "__proto__" || this.#end + HEAD_BYTES > this.#room.length || !this.#text(key)) return false;
      if (!this.#put((value as Readonly<Record<string, unknown>>)[key], depth - 1)) return false;
    }
    return true;
  }
}

/** Reads what a {@link ValueWriter} wrote. What it gives has memory of its own. */
export class ValueReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(memory: SharedArrayBuffer | ArrayBuffer, byteOffset = 0) {
    this.#bytes = Buffer.from(memory as ArrayBuffer, byteOffset);
  }

  /** The value that begins at an offset. */
  read(at: number): unknown {
    this.#at = at;
    return this.#take();
  }

  #take(): unknown {
    const kind = this.#bytes[this.#at++];
    switch (kind) {
      case BYTE:
        return (this.#bytes[this.#at++]! << 24) >> 24;
      case TEXT:
        return this.#text();
      case OBJECT:
        return this.#object();
      case INT:
        return this.#word();
      case LIST:
        return this.#list();
      case BYTES:
        return this.#ownBytes();
      case DOUBLE:
        return this.#double();
      case LONG_TEXT:
        return this.#longText();
      case NULL:
        return null;
      case UNDEFINED:
        return undefined;
      default:
        return kind === TRUE;
    }
  }

  #word(): number {
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + 4;
    return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  }

  #double(): number {
    for (let i = 0; i < 8; i++) doubleBytes[i] = this.#bytes[this.#at + i]!;
    this.#at += 8;
    return double[0]!;
  }

  #text(): string {
    const from = this.#at + 1;
    this.#at = from + this.#bytes[from - 1]!;
    return asciiText(this.#bytes, from, this.#at);
  }

  #longText(): string {
    const length = this.#word();
    const from = this.#at;
    this.#at = from + length;
    return this.#bytes.toString("utf8", from, this.#at);
  }

  #ownBytes(): Uint8Array {
    const length = this.#word();
    const own = new Uint8Array(length);
    own.set(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return own;
  }

  #list(): unknown[] {
    const count = this.#word();
    const list: unknown[] = [];
    for (let i = 0; i < count; i++) list.push(this.#take());
    return list;
  }

  #object(): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (let left = this.#word(); left > 0; left--) {
      this.#at++;
      const long = this.#bytes[this.#at - 1] === LONG_TEXT;
      const key = long ? this.#longText() : this.#text();
      value[key] = this.#take();
    }
    return value;
  }
}
