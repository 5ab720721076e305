/** `console`: log lines at the level of the method's name. */
import { type LogLevel, sys } from "./sys.ts";

const DEEPEST = 4;

function shown(value: unknown, depth: number, seen: Set<unknown>): string {
  if (typeof value === "string") return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `[function ${value.name}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if (value instanceof Error) return `${value}\n${value.stack ?? ""}`;
  if (seen.has(value) || depth >= DEEPEST) return "[...]";
  seen.add(value);
  const inner = (one: unknown): string => shown(one, depth + 1, seen);
  const text = entries(value, inner);
  seen.delete(value);
  return text;
}

function entries(value: object, inner: (one: unknown) => string): string {
  if (Array.isArray(value)) return `[${value.map(inner).join(", ")}]`;
  if (value instanceof Map)
    return `Map {${[...value].map(([k, v]) => `${inner(k)} => ${inner(v)}`).join(", ")}}`;
  if (value instanceof Set) return `Set {${[...value].map(inner).join(", ")}}`;
  return `{${Object.entries(value)
    .map(([name, one]) => `${name}: ${inner(one)}`)
    .join(", ")}}`;
}

function at(level: LogLevel): (...values: unknown[]) => void {
  return (...values) => void sys.log(level, values.map((value) => shown(value, 0, new Set())).join(" "));
}

/** The methods there are. */
export const guestConsole: Readonly<Record<"log" | LogLevel, (...values: unknown[]) => void>> = {
  log: at("info"),
  trace: at("trace"),
  debug: at("debug"),
  info: at("info"),
  warn: at("warn"),
  error: at("error"),
};
