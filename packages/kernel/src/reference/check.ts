/**
 * Looking for references that may not be sent, in messages between tasks of one heap.
 *
 * CK1. Arrays, plain objects, maps and sets are looked into; getters are not run and other objects are not opened.
 * CK2. A `Ref`, and an `Iso` that was not moved, are refused with the place where they lie.
 */
import { NotSendableError, ValueTooLargeError } from "./errors.ts";
import { PARTS_MAX } from "./rebuild.ts";
import { IsoReference, RefReference } from "./references.ts";

/** Refuse a message that holds what may not be sent. O(parts). @throws {NotSendableError} {ValueTooLargeError} */
export function checkSendable(message: unknown): void {
  const seen = new Set<object>();
  const open: [value: unknown, path: string][] = [[message, "the message"]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [value, path] = next;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    refuseReference(value, path);
    seen.add(value);
    if (seen.size + open.length > PARTS_MAX) throw new ValueTooLargeError(PARTS_MAX);
    for (const [part, name] of partsOf(value)) open.push([part, `${path}${name}`]);
  }
}

/** Refuse what may not be sent (CK2). */
export function refuseReference(value: object, path: string): void {
  if (value instanceof RefReference) throw new NotSendableError(path, "a ref, which belongs to one task");
  if (value instanceof IsoReference) throw new NotSendableError(path, "an iso that was not moved");
}

function* partsOf(value: object): Generator<readonly [unknown, string], void, undefined> {
  if (value instanceof Map) {
    for (const [key, entry] of value) {
      yield [key, ".key"];
      yield [entry, ".entry"];
    }
  } else if (value instanceof Set) for (const entry of value) yield [entry, ".entry"];
  else if (isPlain(value)) {
    for (const key of Object.keys(value)) {
      const part: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
      if (typeof part === "object" && part !== null) yield [part, `.${key}`];
    }
  }
}

/** Whether a value is an array or a plain object. */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
