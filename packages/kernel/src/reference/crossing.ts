/**
 * Crossing to another thread. The kernel has no threads: a shell gives a port that clones a message and transfers buffers, which is
 * what `postMessage` and `structuredClone` do.
 *
 * X1. A `Ref`, and an `Iso` that was not moved, are refused, whether or not the kernel checks messages. Nothing has crossed then.
 * X2. Buffers of a moved value are transferred, not copied. When the port fails, the moved value can still be taken up here.
 * X3. A `Val` is frozen again on the other side, and its bytes are the same memory. A `Tag` has the same id there.
 * X4. What arrives is checked before it is opened.
 */

import { shown } from "../shown.ts";
import { SealedBytes } from "./bytes.ts";
import { isPlain, refuseReference } from "./check.ts";
import { BadCrossingError, NotSendableError, ValueTooLargeError } from "./errors.ts";
import { DEPTH_MAX, isBytes, PARTS_MAX } from "./rebuild.ts";
import { Holder, MovedReference, TagReference, ValReference } from "./references.ts";

/** What takes a message to another thread, given by the shell. Throws when it cannot. */
export interface ThreadPort {
  /** Clone `message`, taking over the buffers of `transfer`, as `postMessage` does. */
  post(message: Crossing, transfer: readonly ArrayBuffer[]): void;
}

/** A message on its way: plain data for the structured clone algorithm, and where references were. */
export interface Crossing {
  readonly version: 1;
  readonly body: unknown;
  /** Places of references, inner ones first: the path from the body, and what was there. */
  readonly marks: readonly Mark[];
}

/** Where a reference was, and which. */
export type Mark = readonly [path: readonly (string | number)[], kind: "moved" | "val" | "bytes" | "tag"];

/** Send a message to another thread. @throws {NotSendableError} {MovedError} {ValueTooLargeError} or what the port throws. */
export function crossThread(port: ThreadPort, message: unknown): void {
  const packing = new Packing();
  const body = packing.part(message, [], "the message", false);
  port.post({ version: 1, body, marks: packing.marks }, [...packing.buffers]);
  for (const moved of packing.moved) Holder.take(moved);
}

/** Open what arrived from another thread. @throws {BadCrossingError} when it is no crossing. */
export function arrive(crossing: unknown): unknown {
  const { body, marks } = checkCrossing(crossing);
  const root = { body };
  for (const mark of marks) open(root, mark);
  return root.body;
}

class Packing {
  readonly marks: Mark[] = [];
  readonly buffers: Set<ArrayBuffer> = new Set();
  readonly moved: MovedReference<unknown>[] = [];
  readonly #done = new Map<object, unknown>();
  #parts = 0;

  part(value: unknown, path: readonly (string | number)[], name: string, owned: boolean): unknown {
    if (typeof value !== "object" || value === null) return value;
    refuseReference(value, name);
    if (value instanceof MovedReference) return this.#moved(value, path, name);
    if (value instanceof ValReference)
      return this.#mark(this.part(value.value, path, name, false), path, "val");
    if (value instanceof SealedBytes) return this.#mark(SealedBytes.memoryOf(value), path, "bytes");
    if (value instanceof TagReference) return this.#mark(value.id, path, "tag");
    if (isBytes(value)) {
      const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
      if (owned && buffer instanceof ArrayBuffer) this.buffers.add(buffer);
      return value;
    }
    const known = this.#done.get(value);
    if (known !== undefined) return known;
    if (path.length > DEPTH_MAX) throw new NotSendableError(name, `nested deeper than ${DEPTH_MAX} levels`);
    if (isPlain(value)) return this.#container(value, path, name, owned);
    if (value instanceof Map || value instanceof Set) this.#collection(value, name, owned);
    return value;
  }

  #moved(moved: MovedReference<unknown>, path: readonly (string | number)[], name: string): unknown {
    const value = Holder.peek(moved);
    if (this.moved.includes(moved))
      throw new NotSendableError(name, "a moved value that is in the message twice");
    this.moved.push(moved);
    return this.#mark(this.part(value, path, name, true), path, "moved");
  }

  #container(value: object, path: readonly (string | number)[], name: string, owned: boolean): object {
    const keys = Object.keys(value);
    this.#count(keys.length);
    const copy: object = Array.isArray(value) ? new Array<unknown>(value.length) : {};
    this.#done.set(value, copy);
    for (const key of keys) {
      const step = Array.isArray(value) ? Number(key) : key;
      const part: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
      const packed = this.part(part, [...path, step], `${name}.${key}`, owned);
      Object.defineProperty(copy, key, {
        value: packed,
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
    return copy;
  }

  /** Maps and sets cross as they are; references cannot be found again inside them. */
  #collection(value: Map<unknown, unknown> | Set<unknown>, name: string, owned: boolean): void {
    this.#count(value.size);
    this.#done.set(value, value);
    const marks = this.marks.length;
    for (const [key, entry] of value.entries()) {
      this.part(key, [], `${name}.key`, owned);
      this.part(entry, [], `${name}.entry`, owned);
    }
    if (this.marks.length > marks) throw new NotSendableError(name, "a map or set with references inside");
  }

  #mark(packed: unknown, path: readonly (string | number)[], kind: Mark[1]): unknown {
    this.marks.push([path, kind]);
    return packed;
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts > PARTS_MAX) throw new ValueTooLargeError(PARTS_MAX);
  }
}

function checkCrossing(crossing: unknown): Crossing {
  const { version, marks } = (crossing ?? {}) as Partial<Crossing>;
  if (version !== 1 || !Array.isArray(marks)) throw new BadCrossingError("it has another form or version");
  return crossing as Crossing;
}

/** Put a reference where one was. */
function open(root: { body: unknown }, mark: unknown): void {
  if (!Array.isArray(mark) || !Array.isArray(mark[0])) throw new BadCrossingError("a mark has another form");
  const [path, kind] = mark as unknown as Mark;
  let holder: Record<string | number, unknown> = root;
  let key: string | number = "body";
  for (const step of path) {
    const next = Object.hasOwn(holder, key) ? holder[key] : undefined;
    if (typeof next !== "object" || next === null || !isPlain(next))
      throw new BadCrossingError("a mark points nowhere");
    holder = next as Record<string | number, unknown>;
    key = step;
  }
  if (!Object.hasOwn(holder, key)) throw new BadCrossingError("a mark points nowhere");
  const value = opened(kind, holder[key]);
  if (Object.isFrozen(holder)) throw new BadCrossingError("a mark points into a frozen value");
  Object.defineProperty(holder, key, { value, writable: true, enumerable: true, configurable: true });
}

function opened(kind: unknown, value: unknown): unknown {
  if (kind === "moved") return new MovedReference(value);
  if (kind === "val") return new ValReference(refreeze(value, 0) as never);
  if (kind === "bytes" && value instanceof SharedArrayBuffer) return new SealedBytes(value);
  if (kind === "tag" && typeof value === "string") return new TagReference(value);
  throw new BadCrossingError(`a mark of the kind ${shown(kind)} does not fit what is there`);
}

/** Cloning thawed it. What is inside already was opened before. */
function refreeze(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (depth > DEPTH_MAX || !isPlain(value))
    throw new BadCrossingError("a frozen value holds what cannot be frozen");
  Object.freeze(value);
  for (const key of Object.keys(value)) refreeze((value as Record<string, unknown>)[key], depth + 1);
  return value;
}
