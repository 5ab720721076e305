/**
 * A short stable name for a value, so that two runs can be compared without keeping what passed through them.
 *
 * VD1. Equal content gives the equal digest, on every engine: keys of plain objects are sorted, and nothing of the engine's own texts
 *      goes in. Looked into: numbers, texts, big integers, arrays, plain objects, maps, sets, bytes, number arrays, calls, and errors
 *      by class, code and message (without the message for the classes of the language, whose wording differs between engines).
 * VD2. Functions, symbols and instances of other classes count by their kind only.
 * VD3. No accessor is called. After {@link DIGEST_PARTS} parts or {@link DIGEST_DEPTH} levels nothing more is looked at.
 */
import { isCall } from "@glia-os/kernel";
import { Fnv1a64 } from "./fnv1a64.ts";
import { DIGEST_DEPTH, DIGEST_PARTS } from "./limits.ts";

const LANGUAGE_ERRORS: ReadonlySet<string> = new Set([
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);

/** The digest of any value: 16 hexadecimal digits. O(parts that are looked at). */
export function digestOf(value: unknown): string {
  const digest = new ValueDigest();
  digest.add(value, 0);
  return digest.hash.hex();
}

class ValueDigest {
  readonly hash: Fnv1a64 = new Fnv1a64();
  #left = DIGEST_PARTS;

  add(value: unknown, depth: number): void {
    if (this.#left-- <= 0 || depth > DIGEST_DEPTH) this.hash.text("more");
    else if (typeof value === "object" && value !== null) this.#object(value, depth + 1);
    else {
      this.hash.text(value === null ? "null" : typeof value);
      if (typeof value === "number") this.hash.number(value);
      else if (typeof value === "string") this.hash.text(value);
      else if (typeof value === "boolean" || typeof value === "bigint") this.hash.text(String(value));
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) this.#list("array", value, depth);
    else if (value instanceof Map) this.#list("map", [...value].flat(), depth);
    else if (value instanceof Set) this.#list("set", [...value], depth);
    else if (value instanceof Error) this.#error(value);
    else if (value instanceof ArrayBuffer) this.#bytes("buffer", new Uint8Array(value));
    else if (value instanceof Uint8Array) this.#bytes("bytes", value);
    else if (ArrayBuffer.isView(value) && !(value instanceof DataView))
      this.#list("numbers", [...(value as unknown as Iterable<unknown>)], depth);
    else if (isCall(value)) this.#list("call", [value.message], depth);
    else {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) this.#plain(value, depth);
      else this.hash.text("instance");
    }
  }

  #list(kind: string, items: readonly unknown[], depth: number): void {
    this.hash.text(kind);
    this.hash.number(items.length);
    for (const item of items) {
      if (this.#left <= 0) break;
      this.add(item, depth);
    }
  }

  #bytes(kind: string, bytes: Uint8Array): void {
    this.hash.text(kind);
    this.hash.number(bytes.length);
    for (const byte of bytes) this.hash.byte(byte);
  }

  #plain(value: object, depth: number): void {
    const entries = Object.entries(Object.getOwnPropertyDescriptors(value)).filter(([, d]) => d.enumerable);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    this.hash.text("object");
    this.hash.number(entries.length);
    for (const [key, descriptor] of entries) {
      if (this.#left <= 0) break;
      this.hash.text(key);
      this.add("value" in descriptor ? descriptor.value : undefined, depth);
    }
  }

  #error(error: Error): void {
    const code = (error as { code?: unknown }).code;
    this.hash.text("error");
    this.hash.text(String(error.name));
    this.hash.text(typeof code === "string" ? code : "");
    if (!LANGUAGE_ERRORS.has(error.name)) this.hash.text(String(error.message));
  }
}
