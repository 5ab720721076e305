/** One text per value, so that two values are equal when their texts are: keys of objects in order, numbers as JSON has them, bytes as hexadecimal. */
import { toHex } from "@glia-os/abi/ids";
import { BadOptionError } from "./errors.ts";

/** Levels of a value that are followed. */
const DEPTH_MAX = 64;

/** The text of a plain value. What JSON cannot tell apart is told apart here: undefined, NaN, infinities, -0 and bytes. @throws {BadOptionError} */
export function canonicalText(value: unknown): string {
  return textOf(value, 0);
}

function textOf(value: unknown, depth: number): string {
  if (depth > DEPTH_MAX) throw new BadOptionError("value", `it is deeper than ${DEPTH_MAX} levels`);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (value === null || typeof value === "boolean" || value === undefined) return String(value);
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Uint8Array) return `#${toHex(value)}`;
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, depth + 1)).join(",")}]`;
  if (typeof value !== "object") throw new BadOptionError("value", `a ${typeof value} is no plain data`);
  const entries = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${textOf(item, depth + 1)}`);
  return `{${entries.join(",")}}`;
}
