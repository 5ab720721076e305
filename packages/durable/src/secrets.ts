/**
 * Secrets that programs use and never see. A program puts the handle of a secret, which is text, into its requests; the value takes its
 * place when a service is called, after everything is recorded, and is taken out of what the service answers before that is recorded.
 *
 * SE1. No value of a secret is in a journal: neither in a request nor in an answer that repeats it, nor as a hash.
 * SE2. A service gets only the secrets that are meant for it. A handle that a program got from elsewhere, such as from a model, gives it no more.
 *
 * An answer that holds a secret in another form (encoded, cut, reversed) is not recognised.
 */
import { BadSecretError, SecretRefusedError } from "./errors.ts";

/** A secret and who may get it. */
export interface SecretValue {
  /** 8 to 4,096 printable ASCII characters: shorter ones would be found in ordinary text. */
  readonly value: string;
  /** Names of the services whose requests may hold it. */
  readonly services: readonly string[];
}

/** The handle of a secret: text that stands for it in a request, alone or inside other text. */
export function secret(name: string): string {
  return `{{secret:${name}}}`;
}

const HANDLE = /\{\{secret:([A-Za-z0-9_-]{1,64})\}\}/g;
const OPENING = "{{secret:";
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const VALUE = /^[\x20-\x7e]{8,4096}$/;
const STAR = 0x2a;

/** The secrets of some domains. */
export class Secrets {
  readonly #secrets: ReadonlyMap<string, SecretValue>;

  /** @throws {BadSecretError} */
  constructor(secrets: Readonly<Record<string, SecretValue>>) {
    for (const [name, { value, services }] of Object.entries(secrets)) {
      if (!NAME.test(name))
        throw new BadSecretError(name.slice(0, 64), "its name has other characters or length");
      if (typeof value !== "string" || !VALUE.test(value))
        throw new BadSecretError(name, "its value has other characters or length");
      if (!Array.isArray(services)) throw new BadSecretError(name, "its services are no list");
    }
    this.#secrets = new Map(Object.entries(secrets));
  }

  /** A request with values in place of handles; the same object when it has none. @throws {SecretRefusedError} (SE2) */
  revealed(request: unknown, service: string): unknown {
    const value = (_: string, name: string): string => this.#valueFor(name, service);
    const reveal = (text: string): string => (text.includes(OPENING) ? text.replace(HANDLE, value) : text);
    return mapped(request, reveal, same);
  }

  /** An answer without values of secrets (SE1); the same object when it has none. */
  redacted<Value>(answer: Value): Value {
    if (this.#secrets.size === 0) return answer;
    return mapped(
      answer,
      (text) => this.#redactedText(text),
      (bytes) => this.#redactedBytes(bytes),
    ) as Value;
  }

  #valueFor(name: string, service: string): string {
    const found = this.#secrets.get(name);
    if (found === undefined) throw new SecretRefusedError(name, service, "there is none of this name");
    if (found.services.includes(service)) return found.value;
    throw new SecretRefusedError(name, service, "it is meant for other services");
  }

  #redactedText(text: string): string {
    let rest = text;
    for (const [name, { value }] of this.#secrets)
      if (rest.includes(value)) rest = rest.replaceAll(value, secret(name));
    return rest;
  }

  #redactedBytes(bytes: Uint8Array): Uint8Array {
    let copy = bytes;
    for (const { value } of this.#secrets.values())
      for (let at = placeOf(copy, value, 0); at >= 0; at = placeOf(copy, value, at + value.length)) {
        if (copy === bytes) copy = bytes.slice();
        copy.fill(STAR, at, at + value.length);
      }
    return copy;
  }
}

function same(bytes: Uint8Array): Uint8Array {
  return bytes;
}

/** Where text stands in bytes from a place on; -1 for nowhere. */
function placeOf(bytes: Uint8Array, text: string, from: number): number {
  const first = text.charCodeAt(0);
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    let length = 1;
    while (length < text.length && bytes[at + length] === text.charCodeAt(length)) length += 1;
    if (length === text.length) return at;
  }
  return -1;
}

type Change<Part> = (part: Part) => Part;

/** Plain data with each text and all bytes replaced; parts that do not change are the same objects. */
function mapped(value: unknown, text: Change<string>, bytes: Change<Uint8Array>): unknown {
  if (typeof value === "string") return text(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return bytes(value);
  if (Array.isArray(value)) {
    const parts = value.map((part) => mapped(part, text, bytes));
    return parts.every((part, i) => part === value[i]) ? value : parts;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  const before = Object.entries(value);
  const after = before.map(([key, part]) => [text(key), mapped(part, text, bytes)] as const);
  const isSame = after.every(([key, part], i) => key === before[i]?.[0] && part === before[i]?.[1]);
  return isSame ? value : Object.fromEntries(after);
}
