/**
 * Freezes the intrinsics of a realm and its global object.
 *
 * FI1. A property of a prototype that programs commonly give their own objects by assignment (`name` of an error class, `toString`, `constructor`)
 *      can still be assigned on those: it becomes an accessor that defines it there. A frozen data property would refuse that.
 * FI2. Only what was reachable when {@link intrinsicsOf} looked is frozen: nothing of the host's own realm that is put in later.
 */
import { Script } from "node:vm";

/** Where the host's own realm begins. */
const HOST: readonly object[] = [Object, Object.prototype, Function, Function.prototype];

/** Whose prototypes get such accessors, and for which names. */
const ASSIGNED: Readonly<Record<string, readonly string[]>> = {
  Object: ["constructor", "hasOwnProperty", "toString", "toLocaleString", "valueOf"],
  Function: ["constructor", "toString", "bind"],
  Array: ["constructor", "toString", "concat"],
  Date: ["constructor", "toString"],
  Promise: ["constructor", "then"],
};
const OF_ERRORS = ["constructor", "name", "message", "toString"];
const ERROR_NAME = /Error$/;

type Realm = Readonly<Record<string, unknown>>;

/** Everything that can be reached in a new realm, before something of another is put into it (FI2). O(its intrinsics). */
export function intrinsicsOf(global: object): ReadonlySet<object> {
  // An engine may make an object of the new realm in the host's: V8 14 did with Temporal. The walk goes no further there.
  const met = new Set<object>(HOST);
  meetAll(global, met);
  meetAll(EXAMPLES.runInContext(global) as object, met);
  for (const each of HOST) met.delete(each);
  return met;
}

/** Freeze what was found in a realm. */
export function freezeIntrinsics(global: object, intrinsics: ReadonlySet<object>): void {
  const realm = global as Realm;
  for (const name of Object.getOwnPropertyNames(realm)) {
    const names = ERROR_NAME.test(name) ? OF_ERRORS : ASSIGNED[name];
    if (names !== undefined) letBeAssigned(prototypeOf(realm, name), names);
  }
  for (const each of intrinsics) Object.freeze(each);
}

function prototypeOf(realm: Realm, name: string): object {
  return (realm[name] as { readonly prototype: object }).prototype;
}

function letBeAssigned(prototype: object, names: readonly string[]): void {
  for (const name of names) {
    const { value } = Object.getOwnPropertyDescriptor(prototype, name) ?? {};
    if (value === undefined) continue;
    const set = function set(this: object, own: unknown): void {
      if (this === prototype) throw new TypeError(`${name} of an intrinsic cannot be assigned`);
      Object.defineProperty(this, name, { value: own, writable: true, enumerable: true, configurable: true });
    };
    Object.defineProperty(prototype, name, { get: () => value as unknown, set, configurable: false });
  }
}

/** Objects that lead to the prototypes to which no name of the global object does. */
const EXAMPLES = new Script(`[
  function* () {}, async function () {}, async function* () {}, (function* () {})(),
  [][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ""[Symbol.iterator](),
  "".matchAll(/./g), Object.getPrototypeOf(Int8Array),
]`);

function meetAll(root: object, met: Set<object>): void {
  const waiting: object[] = [root];
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    if (met.has(object)) continue;
    met.add(object);
    for (const property of Object.values(Object.getOwnPropertyDescriptors(object)) as PropertyDescriptor[])
      for (const each of [property.value, property.get, property.set])
        if ((typeof each === "object" && each !== null) || typeof each === "function") waiting.push(each);
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null) waiting.push(prototype as object);
  }
}
