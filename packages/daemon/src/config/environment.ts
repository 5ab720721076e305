/**
 * Environment variables that stand above the configuration file.
 *
 * EV1. Each text, choice, number, flag and list of texts has one: its path in capitals after `GLIA_`, so `mesh.profile` is `GLIA_MESH_PROFILE` and
 *      `shutdown.timeoutMs` is `GLIA_SHUTDOWN_TIMEOUT_MS`. Lists are separated by commas. An empty variable counts as not set.
 * EV2. What is no number or flag is kept as text, so that the check of the whole names it. A variable that looks like a misspelt one is a
 *      problem; others are not ours and are left alone.
 */
import type { Problem } from "./check-shape.ts";
import { CONFIG_SHAPE } from "./config-shape.ts";
import { nearestWord } from "./nearest-word.ts";
import type { RecordShape, Shape } from "./shape.ts";

/** One variable. */
export interface ConfigVariable {
  readonly name: string;
  readonly path: readonly string[];
  readonly shape: Shape;
}

/** Variables of Glia that are not of the configuration. */
const OTHERS = ["GLIA_HOME", "GLIA_SOAK", "GLIA_CONFIG"];

/** Every variable (EV1), in the order of the fields. */
export const CONFIG_VARIABLES: readonly ConfigVariable[] = variablesOf(CONFIG_SHAPE, []);

function variablesOf(shape: RecordShape, above: readonly string[]): ConfigVariable[] {
  return Object.entries(shape.fields).flatMap(([key, field]) => {
    const path = [...above, key];
    if (field.shape.kind === "record") return variablesOf(field.shape, path);
    if (field.shape.kind === "list" && field.shape.of.kind === "record") return [];
    // The version belongs to the file.
    if (path.length === 1 && key === "version") return [];
    return [{ name: variableName(path), path, shape: field.shape }];
  });
}

function variableName(path: readonly string[]): string {
  return `GLIA_${path.map((part) => part.replace(/([a-z])([A-Z])/g, "$1_$2")).join("_")}`.toUpperCase();
}

/** What the environment says. */
export interface ConfigOverrides {
  /** The configuration with what the environment says. */
  readonly value: unknown;
  /** The variables that were taken, by the path they stand for. */
  readonly taken: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** `value` with what the environment says above it. `value` is not changed. */
export function overrideByEnvironment(
  value: unknown,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigOverrides {
  const taken = new Map<string, string>();
  let result = value;
  for (const { name, path, shape } of CONFIG_VARIABLES) {
    const text = environment[name];
    if (text === undefined || text === "") continue;
    result = withValue(result, path, parsed(text, shape));
    taken.set(path.join("."), name);
  }
  return { value: result, taken, problems: misspelt(Object.keys(environment)) };
}

function misspelt(names: readonly string[]): Problem[] {
  const known = [...CONFIG_VARIABLES.map(({ name }) => name), ...OTHERS];
  return names
    .filter((name) => name.startsWith("GLIA_") && !known.includes(name))
    .flatMap((name) => {
      const meant = nearestWord(name, known);
      return meant === undefined ? [] : [{ path: name, what: "is no variable of the configuration", meant }];
    });
}

/** (EV2) */
function parsed(text: string, shape: Shape): unknown {
  switch (shape.kind) {
    case "number":
      return /^\d{1,15}$/.test(text) ? Number(text) : text;
    case "flag":
      return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : text;
    case "list":
      return text.split(",").map((each) => each.trim());
    default:
      return text;
  }
}

/** A copy with a value at a path; what is in the way and is no object is left for the check to name. */
function withValue(value: unknown, [key = "", ...rest]: readonly string[], set: unknown): unknown {
  if (value !== undefined && (typeof value !== "object" || value === null || Array.isArray(value)))
    return value;
  const record = { ...value } as Record<string, unknown>;
  record[key] = rest.length === 0 ? set : withValue(record[key], rest, set);
  return record;
}
