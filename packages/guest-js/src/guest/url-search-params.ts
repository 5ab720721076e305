/**
 * `URLSearchParams` (URL Standard, "application/x-www-form-urlencoded" and "URLSearchParams class"), without a URL behind it.
 *
 * UP1. Parsing never fails: what is no escape stays as it is, and bytes that are not UTF-8 become U+FFFD, each one (the standard makes one
 *      of a sequence that is cut off).
 * UP2. What is written parses to the same pairs in the same order, but for lone surrogates, which become U+FFFD.
 */
import { GuestError } from "./errors.ts";
import { host } from "./host.ts";

/** What parameters can be made of; a text may begin with `?`. */
export type URLSearchParamsInit =
  | string
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string>>;

type Pair = [name: string, value: string];

const PERCENT = 0x25;
/** What `encodeURIComponent` leaves as it is and a form does not. */
const MORE_TO_ESCAPE = /[!'()~]/g;

/** Pairs of texts, in order. */
export class URLSearchParams {
  #pairs: Pair[] = [];

  /** @throws GuestError `bad-argument` for an item that is no pair */
  constructor(init: URLSearchParamsInit = "") {
    if (typeof init === "string") this.#pairs = parsed(init.startsWith("?") ? init.slice(1) : init);
    else for (const pair of Symbol.iterator in init ? init : Object.entries(init)) this.#add(pair);
  }

  /** How many pairs there are. */
  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([String(name).toWellFormed(), String(value).toWellFormed()]);
  }

  /** Take away all pairs of a name, or those with this value. */
  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter((pair) => !matches(pair, name, value));
  }

  get(name: string): string | null {
    return this.#pairs.find((pair) => matches(pair, name))?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter((pair) => matches(pair, name)).map(([, value]) => value);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some((pair) => matches(pair, name, value));
  }

  /** One pair of the name, at the place of the first. */
  set(name: string, value: string): void {
    const first = this.#pairs.find((pair) => matches(pair, name));
    if (first === undefined) {
      this.append(name, value);
      return;
    }
    first[1] = String(value).toWellFormed();
    this.#pairs = this.#pairs.filter((pair) => pair === first || !matches(pair, name));
  }

  /** By the UTF-16 units of the names; pairs of one name stay in their order. */
  sort(): void {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  forEach(run: (value: string, name: string, params: URLSearchParams) => void): void {
    for (const [name, value] of this) run(value, name, this);
  }

  *entries(): Generator<Pair, void, undefined> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): Generator<string, void, undefined> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): Generator<string, void, undefined> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): Generator<Pair, void, undefined> {
    return this.entries();
  }

  /** As the query of a URL or the body of a form, without `?`. */
  toString(): string {
    return this.#pairs.map(([name, value]) => `${escaped(name)}=${escaped(value)}`).join("&");
  }

  #add(pair: readonly string[]): void {
    const [name, value, ...more] = [...pair];
    if (name === undefined || value === undefined || more.length > 0)
      throw new GuestError("bad-argument", "a parameter is a pair of a name and a value");
    this.append(name, value);
  }
}

function matches([name, value]: Pair, wanted: string, wantedValue?: string): boolean {
  return name === String(wanted) && (wantedValue === undefined || value === String(wantedValue));
}

function parsed(text: string): Pair[] {
  const pairs: Pair[] = [];
  for (const piece of text.split("&")) {
    if (piece === "") continue;
    const at = piece.indexOf("=");
    const [name, value] = at < 0 ? [piece, ""] : [piece.slice(0, at), piece.slice(at + 1)];
    pairs.push([unescaped(name), unescaped(value)]);
  }
  return pairs;
}

function unescaped(text: string): string {
  const spaced = text.replaceAll("+", " ").toWellFormed();
  if (!spaced.includes("%")) return spaced;
  const bytes = host.e(spaced);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const high = byte === PERCENT ? hexDigit(bytes[at + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(bytes[at + 2]);
    if (low >= 0) at += 2;
    bytes[length++] = low < 0 ? byte : 16 * high + low;
  }
  return host.u(bytes.buffer, bytes.byteOffset, length);
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function escaped(text: string): string {
  const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text).replace(MORE_TO_ESCAPE, hex).replaceAll("%20", "+");
}
