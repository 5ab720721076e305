/**
 * Compares a value with a shape and says everything that is wrong with it.
 *
 * CF1. All problems at once, each with its path; a misspelt key or word comes with the one that was meant.
 * CF2. At most {@link PROBLEMS_MAX} problems and {@link DEPTH_MAX} levels: rubbish is refused without being walked to its end.
 */
import { nearestWord } from "./nearest-word.ts";
import type { Field, ListShape, NumberShape, RecordShape, Shape, TextShape } from "./shape.ts";

/** Most problems that are told (CF2). */
export const PROBLEMS_MAX = 100;
/** Deepest value that is looked at (CF2). */
export const DEPTH_MAX = 16;
const TEXT_MAX = 4096;
const SHOWN_MAX = 60;

/** Something that is wrong with a value. */
export interface Problem {
  /** Where: `mesh.profile`, `agents[2].file`; the whole is "". */
  readonly path: string;
  /** What is wrong, without the path: "is no profile: ...". */
  readonly what: string;
  /** What was probably meant. */
  readonly meant?: string;
}

/** Everything that is wrong with `value` (CF1). */
export function checkShape(value: unknown, shape: Shape, path = ""): readonly Problem[] {
  const check = new ShapeCheck();
  check.value(value, shape, path, 0);
  return check.problems;
}

/** A problem as one line. */
export function problemLine({ path, what, meant }: Problem): string {
  const text = `${path === "" ? "the configuration" : path} ${what}`;
  return meant === undefined ? text : `${text}; did you mean ${meant}?`;
}

class ShapeCheck {
  readonly problems: Problem[] = [];

  value(value: unknown, shape: Shape, path: string, depth: number): void {
    if (depth > DEPTH_MAX) {
      this.#tell(path, "is nested too deep");
      return;
    }
    switch (shape.kind) {
      case "text":
        this.#text(value, shape, path);
        break;
      case "choice":
        this.#choice(value, shape.of, path);
        break;
      case "number":
        this.#number(value, shape, path);
        break;
      case "flag":
        if (typeof value !== "boolean") this.#tell(path, `is neither true nor false but ${shown(value)}`);
        break;
      case "list":
        this.#list(value, shape, path, depth);
        break;
      case "record":
        this.#record(value, shape, path, depth);
    }
  }

  #tell(path: string, what: string, meant?: string): void {
    if (this.problems.length < PROBLEMS_MAX)
      this.problems.push({ path, what, ...(meant === undefined ? {} : { meant }) });
  }

  #text(value: unknown, { is, pattern = /^.+$/s, max = TEXT_MAX }: TextShape, path: string): void {
    if (typeof value !== "string" || value.length > max || !pattern.test(value))
      this.#tell(path, `is not ${is} but ${shown(value)}`);
  }

  #choice(value: unknown, of: readonly string[], path: string): void {
    if (typeof value === "string" && of.includes(value)) return;
    const meant = typeof value === "string" ? nearestWord(value, of) : undefined;
    this.#tell(path, `is none of ${of.join(", ")} but ${shown(value)}`, meant);
  }

  #number(value: unknown, { min, max, unit }: NumberShape, path: string): void {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
    const of = unit === undefined ? "" : ` of ${unit}`;
    this.#tell(path, `is not a whole number${of} from ${min} to ${max} but ${shown(value)}`);
  }

  #list(value: unknown, { of, max, distinct }: ListShape, path: string, depth: number): void {
    if (!Array.isArray(value)) {
      this.#tell(path, `is not a list but ${shown(value)}`);
      return;
    }
    if (value.length > max) {
      this.#tell(path, `has ${value.length} items; the most are ${max}`);
      return;
    }
    const seen = new Set<unknown>();
    for (const [at, item] of value.entries()) {
      this.value(item, of, `${path}[${at}]`, depth + 1);
      const key = distinct === undefined ? undefined : (item as Record<string, unknown> | null)?.[distinct];
      if (key === undefined) continue;
      if (seen.has(key))
        this.#tell(`${path}[${at}].${distinct}`, `is ${shown(key)} like that of an earlier one`);
      seen.add(key);
    }
  }

  #record(value: unknown, { fields }: RecordShape, path: string, depth: number): void {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#tell(path, `is not an object but ${shown(value)}`);
      return;
    }
    const given = value as Readonly<Record<string, unknown>>;
    const below = (key: string): string => (path === "" ? key : `${path}.${key}`);
    for (const key of Object.keys(given).slice(0, PROBLEMS_MAX)) {
      const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
      if (field === undefined) this.#unknown(key, below(key.slice(0, SHOWN_MAX)), fields);
      else if (given[key] !== undefined) this.value(given[key], field.shape, below(key), depth + 1);
    }
    for (const [key, field] of Object.entries(fields))
      if (field.required === true && given[key] === undefined) this.#tell(below(key), "is missing");
  }

  #unknown(key: string, path: string, fields: Readonly<Record<string, Field>>): void {
    const known = Object.keys(fields);
    this.#tell(path, `is unknown; there is ${known.join(", ")}`, nearestWord(key, known));
  }
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > SHOWN_MAX ? `${value.slice(0, SHOWN_MAX)}…` : value);
}
