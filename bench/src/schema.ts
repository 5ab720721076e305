/**
 * Checks a value against a JSON Schema, for the keywords that `schema.json` uses.
 *
 * V1. A keyword this file does not know is an error, so that no part of the schema is passed over in silence.
 */
type Json = unknown;
type Schema = Readonly<Record<string, Json>>;

const ANNOTATIONS = new Set(["$schema", "$id", "$defs", "title", "description"]);

/** Each place where `value` breaks `schema`, as `path: why`; empty when it does not. */
export function schemaErrors(value: Json, schema: Schema): readonly string[] {
  const errors: string[] = [];
  check(value, schema, "$", schema, errors);
  return errors;
}

type Keyword = (
  value: Json,
  argument: Json,
  path: string,
  root: Schema,
  errors: string[],
  schema: Schema,
) => void;

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  $ref(value, argument, path, root, errors) {
    const name = String(argument).replace("#/$defs/", "");
    check(value, (root["$defs"] as Record<string, Schema>)[name]!, path, root, errors);
  },
  type(value, argument, path, _root, errors) {
    const allowed = Array.isArray(argument) ? argument : [argument];
    if (!allowed.some((type) => isOfType(value, String(type))))
      errors.push(`${path}: not of type ${allowed.join(" or ")}`);
  },
  enum(value, argument, path, _root, errors) {
    if (!(argument as Json[]).includes(value)) errors.push(`${path}: not one of ${JSON.stringify(argument)}`);
  },
  const(value, argument, path, _root, errors) {
    if (value !== argument) errors.push(`${path}: not ${JSON.stringify(argument)}`);
  },
  pattern(value, argument, path, _root, errors) {
    if (typeof value === "string" && !new RegExp(String(argument), "u").test(value)) {
      errors.push(`${path}: does not match ${String(argument)}`);
    }
  },
  minLength(value, argument, path, _root, errors) {
    if (typeof value === "string" && value.length < Number(argument))
      errors.push(`${path}: shorter than ${argument}`);
  },
  minimum(value, argument, path, _root, errors) {
    if (typeof value === "number" && !(value >= Number(argument))) errors.push(`${path}: below ${argument}`);
  },
  maximum(value, argument, path, _root, errors) {
    if (typeof value === "number" && !(value <= Number(argument))) errors.push(`${path}: above ${argument}`);
  },
  exclusiveMinimum(value, argument, path, _root, errors) {
    if (typeof value === "number" && !(value > Number(argument)))
      errors.push(`${path}: not above ${argument}`);
  },
  minItems(value, argument, path, _root, errors) {
    if (Array.isArray(value) && value.length < Number(argument))
      errors.push(`${path}: fewer than ${argument} items`);
  },
  items(value, argument, path, root, errors) {
    if (!Array.isArray(value)) return;
    for (const [i, item] of value.entries()) check(item, argument as Schema, `${path}[${i}]`, root, errors);
  },
  required(value, argument, path, _root, errors) {
    if (!isObject(value)) return;
    for (const key of argument as string[])
      if (!Object.hasOwn(value, key)) errors.push(`${path}: ${key} is missing`);
  },
  properties(value, argument, path, root, errors) {
    if (!isObject(value)) return;
    for (const [key, schema] of Object.entries(argument as Record<string, Schema>)) {
      if (Object.hasOwn(value, key)) check(value[key], schema, `${path}.${key}`, root, errors);
    }
  },
  additionalProperties(value, argument, path, root, errors, schema) {
    if (!isObject(value)) return;
    const known = (schema["properties"] ?? {}) as Record<string, Schema>;
    for (const key of Object.keys(value).filter((each) => !Object.hasOwn(known, each))) {
      if (argument === false) errors.push(`${path}: ${key} is not known`);
      else check(value[key], argument as Schema, `${path}.${key}`, root, errors);
    }
  },
};

function check(value: Json, schema: Schema, path: string, root: Schema, errors: string[]): void {
  for (const [name, argument] of Object.entries(schema)) {
    if (ANNOTATIONS.has(name)) continue;
    const keyword = Object.hasOwn(KEYWORDS, name) ? KEYWORDS[name] : undefined;
    if (keyword === undefined) throw new RangeError(`the schema uses ${name}, which is not supported (V1)`);
    keyword(value, argument, path, root, errors, schema);
  }
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isOfType(value: Json, type: string): boolean {
  if (type === "object") return isObject(value);
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "integer") return Number.isInteger(value);
  if (type === "number") return typeof value === "number" && Number.isFinite(value);
  return typeof value === type;
}
