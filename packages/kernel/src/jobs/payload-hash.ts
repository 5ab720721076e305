/**
 * The hash of a payload: SHA-256 over a canonical text of it, so that equal data has equal hashes whatever the order of its keys.
 *
 * P1. Plain data only: null, booleans, numbers, strings, big integers, byte arrays, lists and plain objects; `undefined` in an object
 *     counts as absent. Anything else is refused, because it could not be compared.
 * P2. Different data has different texts: every kind of value has its own mark, and texts and bytes carry their quotes or length.
 * P3. The text has at most 1,048,576 characters and 64 levels; the size is checked while it is made.
 */
import { BadOptionError } from "../errors.ts";
import { sha256 } from "./sha256.ts";

const TEXT_MOST = 1_048_576;
const DEPTH_MOST = 64;

/** The hash of a payload on a queue, as hexadecimal. @throws {BadOptionError} */
export function payloadHash(queue: string, payload: unknown): string {
  const out: string[] = [];
  new CanonicalText(out).write([queue, payload], 0);
  return sha256(unitsOf(out.join("")));
}

class CanonicalText {
  readonly #out: string[];
  #length = 0;

  constructor(out: string[]) {
    this.#out = out;
  }

  write(value: unknown, depth: number): void {
    if (depth > DEPTH_MOST) throw refused(`deeper than ${DEPTH_MOST} levels`);
    if (value === null || value === undefined || typeof value === "boolean") this.#add(String(value));
    else if (typeof value === "number") this.#add(Object.is(value, -0) ? "-0" : String(value));
    else if (typeof value === "string") this.#quote(value);
    else if (typeof value === "bigint") this.#add(`${value}n`);
    else if (Array.isArray(value)) this.#list(value, depth);
    else if (value instanceof Uint8Array) this.#bytes(value);
    else if (isPlain(value)) this.#object(value, depth);
    else throw refused(`a ${typeof value} that is no plain data`);
  }

  #list(list: readonly unknown[], depth: number): void {
    this.#add("[");
    for (let i = 0; i < list.length; i++) {
      this.write(list[i], depth + 1);
      this.#add(",");
    }
    this.#add("]");
  }

  #object(object: Readonly<Record<string, unknown>>, depth: number): void {
    this.#add("{");
    for (const key of Object.keys(object).sort()) {
      if (object[key] === undefined) continue;
      this.#quote(key);
      this.#add(":");
      this.write(object[key], depth + 1);
      this.#add(",");
    }
    this.#add("}");
  }

  #quote(text: string): void {
    if (text.length > TEXT_MOST) throw tooLong();
    this.#add(JSON.stringify(text));
  }

  #bytes(bytes: Uint8Array): void {
    if (bytes.length > TEXT_MOST) throw tooLong();
    this.#add(`bytes ${bytes.length} ${sha256(bytes)}`);
  }

  #add(text: string): void {
    this.#length += text.length;
    if (this.#length > TEXT_MOST) throw tooLong();
    this.#out.push(text);
  }
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** A text as two bytes per UTF-16 unit. */
function unitsOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[i * 2] = unit >> 8;
    bytes[i * 2 + 1] = unit & 0xff;
  }
  return bytes;
}

function tooLong(): BadOptionError {
  return refused(`longer than ${TEXT_MOST} characters`);
}

function refused(why: string): BadOptionError {
  return new BadOptionError("payload", why, "plain data that can be hashed");
}
