/** Recorded values for people and for JSON. */
import { inspect } from "node:util";

/** A value in one line of at most some 160 characters. */
export function asText(value: unknown): string {
  const text = inspect(value, {
    breakLength: Number.POSITIVE_INFINITY,
    depth: 4,
    maxArrayLength: 20,
    maxStringLength: 120,
  });
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}

/** A value as JSON can hold it: bytes as hexadecimal, big integers as decimal text. */
export function asJson(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString("hex") };
  if (typeof value === "bigint") return { integer: value.toString() };
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, asJson(each)]));
  return value;
}
