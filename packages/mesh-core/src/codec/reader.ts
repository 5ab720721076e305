/**
 * Reading a decoded array field by field, each with its type and bound.
 *
 * R1. Every field is checked before use; a wrong type, a value out of range or a wrong count is a {@link MalformedMessageError}.
 * R2. Fields after the known ones are refused: version 1 bodies are closed; a new field is a new version or kind.
 */
import { type AgentId, type Epoch, type NodeId, toEpoch, toHex } from "@glia-os/abi/ids";
import { MalformedMessageError } from "../errors.ts";
import type { CborValue } from "./cbor.ts";

/** Bytes of a node id. */
export const NODE_ID_BYTES = 32;
/** Bytes of an agent id. */
export const AGENT_ID_BYTES = 16;

/** A cursor over the fields of one array. */
export class FieldReader {
  readonly #fields: readonly CborValue[];
  readonly #what: string;
  #at = 0;

  constructor(value: CborValue, what: string) {
    if (!Array.isArray(value)) throw new MalformedMessageError(what, "it is not an array");
    this.#fields = value;
    this.#what = what;
  }

  /** An integer from `min` to `max`. */
  int(name: string, max: number = Number.MAX_SAFE_INTEGER, min = 0): number {
    const value = this.#next(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max)
      throw this.refuse(name, `not an integer from ${min} to ${max}`);
    return value;
  }

  /** True or false. */
  bool(name: string): boolean {
    const value = this.#next(name);
    if (typeof value !== "boolean") throw this.refuse(name, "neither true nor false");
    return value;
  }

  /** Between `min` and `max` bytes. */
  bytes(name: string, max: number, min = 0): Uint8Array {
    const value = this.#next(name);
    if (!(value instanceof Uint8Array) || value.length < min || value.length > max)
      throw this.refuse(name, `not ${min} to ${max} bytes`);
    return value;
  }

  /** Text of `min` to `max` UTF-16 units. */
  text(name: string, max: number, min = 0): string {
    const value = this.#next(name);
    if (typeof value !== "string" || value.length < min || value.length > max)
      throw this.refuse(name, `not text of ${min} to ${max} characters`);
    return value;
  }

  /** One of a few words. */
  word<Word extends string>(name: string, words: readonly Word[]): Word {
    const value = this.#next(name);
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.refuse(name, `none of ${words.join(", ")}`);
    return found;
  }

  /** An array of at most `max` items, each read by `read`. */
  list<Item>(name: string, max: number, read: (item: CborValue) => Item): Item[] {
    const value = this.#next(name);
    if (!Array.isArray(value) || value.length > max)
      throw this.refuse(name, `not an array of at most ${max}`);
    return (value as readonly CborValue[]).map(read);
  }

  /** A field read by `read`, or undefined when it is null. */
  optional<Item>(name: string, read: (item: CborValue) => Item): Item | undefined {
    const value = this.#next(name);
    return value === null ? undefined : read(value);
  }

  /** A nested array. */
  nested(name: string): FieldReader {
    return new FieldReader(this.#next(name), `${this.#what}.${name}`);
  }

  /** A node id: 32 bytes. */
  node(name: string): NodeId {
    return toHex(this.bytes(name, NODE_ID_BYTES, NODE_ID_BYTES)) as NodeId;
  }

  /** An agent id: 16 bytes. */
  agent(name: string): AgentId {
    return toHex(this.bytes(name, AGENT_ID_BYTES, AGENT_ID_BYTES)) as AgentId;
  }

  /** An ownership epoch. */
  epoch(name: string): Epoch {
    return toEpoch(this.int(name, Number.MAX_SAFE_INTEGER, 1));
  }

  /** Fields that were not read yet. */
  get left(): number {
    return this.#fields.length - this.#at;
  }

  /** Whether there is another field: only for bodies whose specification names a last one that may be left out. */
  get more(): boolean {
    return this.#at < this.#fields.length;
  }

  /** Refuse fields that were not read (R2). */
  end(): void {
    if (this.#at !== this.#fields.length)
      throw new MalformedMessageError(this.#what, `it has ${this.#fields.length} fields, not ${this.#at}`);
  }

  /** The error for a field that breaks a rule. */
  refuse(name: string, why: string): MalformedMessageError {
    return new MalformedMessageError(this.#what, `field ${name} is ${why}`);
  }

  #next(name: string): CborValue {
    const value = this.#fields[this.#at++];
    if (value === undefined) throw new MalformedMessageError(this.#what, `field ${name} is missing`);
    return value;
  }
}
