/**
 * Standard Schema (https://standardschema.dev, version 1): the interface through which schemas of any library are used here.
 *
 * SS1. Schemas are checked at once. One that answers with a promise is refused by `AsyncSchemaError`: a message is accepted or refused
 *      before anything else happens, and a promise cannot be waited for without letting other code run.
 * SS2. What the schema makes of a value takes the value's place, so transforms and defaults apply.
 */
import { AsyncSchemaError } from "./errors.ts";
import type { Issue } from "./issue.ts";

/** A schema of any library that speaks Standard Schema. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing wrong with a value. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Issues an error carries at most. */
const ISSUES_SHOWN = 16;

/** Whether something is a schema of version 1. */
export function isSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as Partial<StandardSchema>)["~standard"];
  return (
    typeof standard === "object" &&
    standard !== null &&
    standard.version === 1 &&
    typeof standard.validate === "function"
  );
}

/** Check a value; `what` names it in the refusal of a schema that answers later. @throws {AsyncSchemaError} */
export function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  what: string,
): SchemaResult<Output> {
  const result = schema["~standard"].validate(value);
  if (typeof (result as Partial<Promise<unknown>>).then === "function") throw new AsyncSchemaError(what);
  return result as SchemaResult<Output>;
}

/** Issues as plain data, at most 16 of them. */
export function plainIssues(issues: readonly SchemaIssue[]): readonly Issue[] {
  return issues.slice(0, ISSUES_SHOWN).map(({ message, path = [] }) => ({
    message,
    path: path.map((part) => String(typeof part === "object" ? part.key : part)).join("."),
  }));
}
