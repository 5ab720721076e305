/** Headers of requests and responses, by names without case (Fetch Standard, "Headers class", in the order names were first set). */
import { GuestError } from "./errors.ts";

/** What headers can be made of. */
export type HeadersInit =
  | Headers
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string>>;

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** No line may be ended inside a value. */
const VALUE = /^[^\0\r\n]*$/;

function checkedName(name: string): string {
  if (!NAME.test(name))
    throw new GuestError("bad-argument", `${JSON.stringify(name)} is no name of a header`);
  return name.toLowerCase();
}

/** Headers; values set twice by `append` are joined by a comma and a space. */
export class Headers {
  readonly #values = new Map<string, string>();

  constructor(init: HeadersInit = {}) {
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  set(name: string, value: string): void {
    const text = String(value).trim();
    if (!VALUE.test(text))
      throw new GuestError("bad-argument", `the header ${name} has a value of more than one line`);
    this.#values.set(checkedName(name), text);
  }

  get(name: string): string | null {
    return this.#values.get(checkedName(name)) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(checkedName(name));
  }

  delete(name: string): void {
    this.#values.delete(checkedName(name));
  }

  forEach(run: (value: string, name: string, headers: Headers) => void): void {
    for (const [name, value] of this) run(value, name, this);
  }

  entries(): MapIterator<[name: string, value: string]> {
    return this.#values.entries();
  }

  keys(): MapIterator<string> {
    return this.#values.keys();
  }

  values(): MapIterator<string> {
    return this.#values.values();
  }

  [Symbol.iterator](): MapIterator<[name: string, value: string]> {
    return this.entries();
  }
}
