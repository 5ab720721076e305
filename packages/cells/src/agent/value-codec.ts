/** Values of agent messages as JSON values (docs/spec/agent-message.md, "Values"). */
import { fromBase64, toBase64 } from "./base64.ts";
import { VALUE_DEPTH_MAX } from "./constants.ts";
import { BadEnvelopeError, ValueNotPlainError } from "./errors.ts";
import { checkPlain, leaf } from "./plain-value.ts";

/** A value that `JSON.stringify` writes as the specification says. @throws {ValueNotPlainError} */
export function toJson(value: unknown, depth: number = VALUE_DEPTH_MAX, path = ""): unknown {
  return typeof value === "object" && value !== null ? compound(value, depth, path) : leaf(value, path);
}

function compound(value: object, depth: number, path: string): unknown {
  if (depth === 0)
    throw new ValueNotPlainError(path, `more than ${VALUE_DEPTH_MAX} levels deep, or a circle`);
  if (value instanceof Uint8Array) return { $bytes: toBase64(value) };
  if (Array.isArray(value)) return value.map((element, i) => toJson(element, depth - 1, `${path}[${i}]`));
  checkPlain(value, path);
  const json: Record<string, unknown> = {};
  for (const [key, own] of Object.entries(value)) {
    if (key === "__proto__") throw new ValueNotPlainError(`${path}.__proto__`, "a key that is refused");
    json[key] = toJson(own, depth - 1, path === "" ? key : `${path}.${key}`);
  }
  return "$bytes" in json || "$plain" in json ? { $plain: json } : json;
}

/** The value that a JSON value stands for. It is changed and becomes part of the result. @throws {BadEnvelopeError} */
export function fromJson(json: unknown, depth: number = VALUE_DEPTH_MAX): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (depth === 0) throw new BadEnvelopeError(`its input is more than ${VALUE_DEPTH_MAX} levels deep`);
  if (Array.isArray(json)) {
    for (let i = 0; i < json.length; i++) json[i] = fromJson(json[i], depth - 1);
    return json;
  }
  return objectFrom(json as Record<string, unknown>, depth);
}

function objectFrom(json: Record<string, unknown>, depth: number): unknown {
  const keys = Object.keys(json);
  const tagged = Object.hasOwn(json, "$bytes") || Object.hasOwn(json, "$plain");
  if (tagged) {
    if (keys.length !== 1) throw new BadEnvelopeError("its input has a tag beside other keys");
    return untagged(json, depth);
  }
  return children(json, depth);
}

function untagged(json: Record<string, unknown>, depth: number): unknown {
  const { $bytes, $plain } = json;
  if (typeof $bytes === "string") {
    const bytes = fromBase64($bytes);
    if (bytes !== undefined) return bytes;
  }
  const inner = typeof $plain === "object" && $plain !== null && !Array.isArray($plain);
  if (!inner) throw new BadEnvelopeError("its input has a tag that stands for nothing");
  return children($plain as Record<string, unknown>, depth);
}

function children(json: Record<string, unknown>, depth: number): Record<string, unknown> {
  for (const key of Object.keys(json)) {
    if (key === "__proto__") throw new BadEnvelopeError("its input has a key __proto__");
    const own = json[key];
    if (typeof own === "object" && own !== null) json[key] = fromJson(own, depth - 1);
  }
  return json;
}
