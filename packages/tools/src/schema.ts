/**
 * JSON Schema (draft 2020-12) as a check of plain data.
 *
 * SC1. A schema is bounded and checked for form when it is taken: at most 256 KiB of JSON, and every reference leads into the schema itself.
 *      Nothing is fetched and no code is generated.
 * SC2. A value is first made plain by writing and reading it as JSON, so what was checked is what is used.
 */
import { Validator } from "@cfworker/json-schema";
import { BadDefinitionError } from "./errors.ts";

/** A JSON Schema that describes an object or any other value. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What is wrong with a value, and where in it. */
export interface SchemaFinding {
  readonly where: string;
  readonly why: string;
}

const SCHEMA_UNITS = 262_144;

/** A schema that can be asked. */
export class SchemaCheck {
  readonly #validator: Validator;

  /** @throws {BadDefinitionError} */
  constructor(tool: string, what: string, schema: JsonSchema) {
    if (typeof schema !== "object" || schema === null || Array.isArray(schema))
      throw new BadDefinitionError(tool, `its ${what} schema is no object`);
    const json = JSON.stringify(schema);
    if (json.length > SCHEMA_UNITS)
      throw new BadDefinitionError(tool, `its ${what} schema has more than ${SCHEMA_UNITS} characters`);
    const own = JSON.parse(json) as JsonSchema;
    for (const target of referencesIn(own))
      if (!target.startsWith("#"))
        throw new BadDefinitionError(
          tool,
          `its ${what} schema refers to ${target.slice(0, 100)}, which is not in it`,
        );
    try {
      this.#validator = new Validator(own, "2020-12");
      this.#validator.validate(null);
    } catch (error) {
      throw new BadDefinitionError(tool, `its ${what} schema is broken: ${(error as Error).message}`);
    }
  }

  /** What is wrong with a value; undefined when it fits. */
  findingIn(value: unknown): SchemaFinding | undefined {
    const { valid, errors } = this.#validator.validate(value);
    if (valid) return undefined;
    // The last one is about the innermost part.
    const worst = errors.at(-1);
    return { where: worst?.instanceLocation ?? "#", why: worst?.error ?? "it does not fit" };
  }
}

function referencesIn(schema: unknown): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  return Object.entries(schema).flatMap(([name, part]) =>
    (name === "$ref" || name === "$dynamicRef") && typeof part === "string" ? [part] : referencesIn(part),
  );
}
