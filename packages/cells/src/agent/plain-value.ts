/**
 * Values that may be messages, and their way from one agent to another in one thread.
 *
 * PV1. The receiver gets a value of its own: what one agent changes later, another does not see. Deeply frozen values and primitives are
 *      shared, everything else is copied.
 * PV2. What could not go to another machine is refused here too, so that an agent that works in a thread works on a mesh.
 * PV3. A copy is what JSON would have made of it: undefined properties are left out, undefined elements are null.
 */
import { VALUE_DEPTH_MAX } from "./constants.ts";
import { ValueNotPlainError } from "./errors.ts";

/** The value as another agent may have it (PV1). @throws {ValueNotPlainError} */
export function passable(value: unknown): unknown {
  return typeof value === "object" && value !== null ? ownedOf(value, VALUE_DEPTH_MAX, "") : leaf(value, "");
}

/** A copy that shares nothing that can change. @throws {ValueNotPlainError} */
export const copyOf: (value: unknown) => unknown = passable;

/** A value without parts: itself, if it may be passed. @throws {ValueNotPlainError} */
export function leaf(value: unknown, path: string): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
    case "object":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      throw new ValueNotPlainError(path, String(value));
    default:
      throw new ValueNotPlainError(path, `a ${typeof value}`);
  }
}

/** (PV3) */
function part(value: unknown, depth: number, path: string): unknown {
  return typeof value === "object" && value !== null
    ? ownedOf(value, depth, path)
    : (leaf(value, path) ?? null);
}

function ownedOf(value: object, depth: number, path: string): unknown {
  if (depth === 0)
    throw new ValueNotPlainError(path, `more than ${VALUE_DEPTH_MAX} levels deep, or a circle`);
  if (Array.isArray(value)) return listOf(value, depth, path);
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  return objectOf(value, depth, path);
}

function listOf(list: readonly unknown[], depth: number, path: string): readonly unknown[] {
  const copy: unknown[] = [];
  let same = Object.isFrozen(list);
  for (let i = 0; i < list.length; i++) {
    const element = part(list[i], depth - 1, `${path}[${i}]`);
    same &&= element === list[i];
    copy.push(element);
  }
  return same ? list : copy;
}

function objectOf(value: object, depth: number, path: string): object {
  checkPlain(value, path);
  const copy: Record<string, unknown> = {};
  let same = Object.isFrozen(value);
  for (const key of Object.keys(value)) {
    const own = (value as Record<string, unknown>)[key];
    if (key === "__proto__") throw new ValueNotPlainError(`${path}.__proto__`, "a key that is refused");
    if (own === undefined) {
      same = false;
      continue;
    }
    const element =
      typeof own === "string" ? own : part(own, depth - 1, path === "" ? key : `${path}.${key}`);
    same &&= element === own;
    copy[key] = element;
  }
  return same ? value : copy;
}

/** Refuse an object of a class. Objects of another realm are plain too. */
export function checkPlain(value: object, path: string): void {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return;
  if (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf")) return;
  const name: unknown = prototype.constructor?.name;
  throw new ValueNotPlainError(
    path,
    typeof name === "string" ? `an object of class ${name}` : "no plain object",
  );
}
