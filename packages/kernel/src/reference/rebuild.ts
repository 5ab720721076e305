/**
 * Rebuilding plain data: the one walk behind isolating and freezing.
 *
 * RB1. The result shares no object with the original except what the caller's `bytes` gives and references that may be shared.
 * RB2. Cycles and shared parts stay as they are. At most {@link PARTS_MAX} parts and {@link DEPTH_MAX} levels are walked.
 * RB3. No code of the value runs: getters are refused, not called; only the built-in prototypes are plain data.
 */

import { SealedBytes } from "./bytes.ts";
import { ValueTooLargeError } from "./errors.ts";
import { TagReference, ValReference } from "./references.ts";

/** Parts of one value: properties, elements and entries. */
export const PARTS_MAX = 1_000_000;
/** Levels of one value. */
export const DEPTH_MAX = 500;

/** What a rebuilding does with what is not a container. */
export interface Rebuilding {
  /** What takes the place of a buffer or a view of one. */
  bytes(source: ArrayBuffer | SharedArrayBuffer | ArrayBufferView, path: string): unknown;
  /** Whether maps and sets are allowed. */
  readonly collections: boolean;
  /** Called with each container when it is full. */
  readonly finish: (container: object) => void;
  /** Refuse a part. */
  refuse(path: string, why: string): never;
}

/** Rebuild a value. Throws what `refuse` throws, or that the value is too large. */
export function rebuild(value: unknown, rebuilding: Rebuilding): unknown {
  return new Walk(rebuilding).part(value, "value", 0);
}

class Walk {
  readonly #rebuilding: Rebuilding;
  readonly #done = new Map<object, unknown>();
  #parts = 0;

  constructor(rebuilding: Rebuilding) {
    this.#rebuilding = rebuilding;
  }

  part(value: unknown, path: string, depth: number): unknown {
    if (typeof value === "function" || typeof value === "symbol")
      return this.#rebuilding.refuse(path, `a ${typeof value} is no plain data`);
    if (typeof value !== "object" || value === null) return value;
    // Neither can be changed by anybody, so they may be shared.
    if (value instanceof ValReference || value instanceof TagReference || value instanceof SealedBytes)
      return value;
    const known = this.#done.get(value);
    if (known !== undefined) return known;
    if (depth >= DEPTH_MAX)
      return this.#rebuilding.refuse(path, `it is nested deeper than ${DEPTH_MAX} levels`);
    if (isBytes(value)) {
      const bytes = this.#rebuilding.bytes(value, path);
      this.#done.set(value, bytes);
      return bytes;
    }
    return this.#container(value, path, depth);
  }

  #container(value: object, path: string, depth: number): unknown {
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Array.prototype) return this.#array(value as readonly unknown[], path, depth);
    if (prototype === Object.prototype || prototype === null)
      return this.#record(value, prototype, path, depth);
    if (prototype === Map.prototype && this.#rebuilding.collections)
      return this.#map(value as Map<unknown, unknown>, path, depth);
    if (prototype === Set.prototype && this.#rebuilding.collections)
      return this.#set(value as Set<unknown>, path, depth);
    return this.#rebuilding.refuse(path, "it is neither an array, a plain object nor bytes");
  }

  #array(source: readonly unknown[], path: string, depth: number): unknown[] {
    this.#count(source.length);
    const copy: unknown[] = [];
    this.#done.set(source, copy);
    for (let i = 0; i < source.length; i++)
      copy.push(this.part(this.#read(source, String(i), path), `${path}[${i}]`, depth + 1));
    this.#rebuilding.finish(copy);
    return copy;
  }

  #record(source: object, prototype: object | null, path: string, depth: number): object {
    if (Object.getOwnPropertySymbols(source).length > 0)
      return this.#rebuilding.refuse(path, "it has properties named by symbols");
    const keys = Object.keys(source);
    this.#count(keys.length);
    const copy: object = Object.create(prototype) as object;
    this.#done.set(source, copy);
    for (const key of keys) {
      const value = this.part(this.#read(source, key, path), `${path}.${key}`, depth + 1);
      // Not by assignment: a key may be `__proto__`.
      Object.defineProperty(copy, key, { value, writable: true, enumerable: true, configurable: true });
    }
    this.#rebuilding.finish(copy);
    return copy;
  }

  #map(source: Map<unknown, unknown>, path: string, depth: number): Map<unknown, unknown> {
    this.#count(source.size);
    const copy = new Map<unknown, unknown>();
    this.#done.set(source, copy);
    for (const [key, value] of source)
      copy.set(this.part(key, `${path}.key`, depth + 1), this.part(value, `${path}.entry`, depth + 1));
    return copy;
  }

  #set(source: Set<unknown>, path: string, depth: number): Set<unknown> {
    this.#count(source.size);
    const copy = new Set<unknown>();
    this.#done.set(source, copy);
    for (const value of source) copy.add(this.part(value, `${path}.entry`, depth + 1));
    return copy;
  }

  /** A property without running a getter (RB3). */
  #read(source: object, key: string, path: string): unknown {
    const descriptor = Object.getOwnPropertyDescriptor(source, key);
    if (descriptor === undefined) return undefined;
    if (descriptor.get !== undefined || descriptor.set !== undefined)
      return this.#rebuilding.refuse(`${path}.${key}`, "it is computed by a getter");
    return descriptor.value;
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts > PARTS_MAX) throw new ValueTooLargeError(PARTS_MAX);
  }
}

/** Whether a value is a buffer or a view of one. */
export function isBytes(value: unknown): value is ArrayBuffer | SharedArrayBuffer | ArrayBufferView {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer || ArrayBuffer.isView(value);
}
