/** The checks of a definition, and what the interpreter reads of it (`definition.ts` AD2, AD3). */
import { MESSAGES_MAX } from "./constants.ts";
import { BadDefinitionError } from "./errors.ts";
import type { AnyAgent, CompiledMessage, Handle } from "./kind.ts";
import { isAgentName } from "./reference.ts";
import { isSchema, type StandardSchema } from "./standard-schema.ts";
import { checkPolicy } from "./supervision.ts";

const GENERATOR_FUNCTION: unknown = Object.getPrototypeOf(function* () {});
const ASYNC_FUNCTIONS: readonly unknown[] = [
  Object.getPrototypeOf(async () => {}),
  Object.getPrototypeOf(async function* () {}),
];
const FIELDS: ReadonlySet<string> = new Set([
  "name",
  "version",
  "state",
  "on",
  "start",
  "stop",
  "invariant",
  "forecast",
  "codeChange",
  "onError",
  "supervise",
]);
const MESSAGE_FIELDS: ReadonlySet<string> = new Set(["input", "reply", "chunk", "handle"]);
const PLAIN_HOOKS = ["stop", "invariant", "forecast", "codeChange"] as const;

/** The fields that are checked, whatever is in them. */
interface Given {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly state?: unknown;
  readonly on?: unknown;
  readonly start?: unknown;
  readonly stop?: unknown;
  readonly invariant?: unknown;
  readonly forecast?: unknown;
  readonly codeChange?: unknown;
  readonly onError?: unknown;
  readonly supervise?: unknown;
}

/** Check what `agent` was given and freeze what comes of it. @throws {BadDefinitionError} */
export function checkDefinition(options: unknown): AnyAgent {
  if (typeof options !== "object" || options === null)
    throw new BadDefinitionError(
      "definition",
      `it is ${options === null ? "null" : typeof options}, not an object`,
    );
  const given = options as Given;
  for (const field of Object.keys(given))
    if (!FIELDS.has(field)) throw new BadDefinitionError(field, "a definition has no such field");
  if (!isAgentName(given.name)) throw new BadDefinitionError("name", "it must be 1 to 64 of a-z 0-9 - . _");
  const version = given.version ?? 1;
  if (!Number.isSafeInteger(version) || (version as number) < 1)
    throw new BadDefinitionError("version", "it must be a whole number from 1");
  checkState(given.state);
  checkHooks(given);
  if (given.onError !== undefined && given.onError !== "reply" && given.onError !== "fail")
    throw new BadDefinitionError("onError", "it must be reply or fail");
  checkSupervision(given.supervise);
  return Object.freeze({ ...given, version, messages: messagesOf(given.on) }) as AnyAgent;
}

/** Whether something was made by `agent`. */
export function isDefinition(value: unknown): value is AnyAgent {
  return typeof value === "object" && value !== null && (value as Partial<AnyAgent>).messages instanceof Map;
}

/** Whether a function is a generator function, whose code may wait. */
export function isRoutineFunction(value: unknown): boolean {
  return Object.getPrototypeOf(value) === GENERATOR_FUNCTION;
}

function checkState(state: unknown): void {
  if (state === undefined || typeof state === "function") return;
  const { schema, initial } = (state ?? {}) as { schema?: unknown; initial?: unknown };
  if (!isSchema(schema) || typeof initial !== "function")
    throw new BadDefinitionError(
      "state",
      "it must be a function, or { schema, initial } with a Standard Schema",
    );
}

function checkHooks(given: Given): void {
  for (const hook of PLAIN_HOOKS) {
    if (given[hook] === undefined) continue;
    functionOf(hook, given[hook]);
    if (isRoutineFunction(given[hook]))
      throw new BadDefinitionError(hook, "it cannot wait and must be a plain function");
  }
  if (given.start !== undefined) functionOf("start", given.start);
}

function checkSupervision(policy: unknown): void {
  if (policy === undefined) return;
  const wrong = checkPolicy(policy);
  if (wrong !== undefined) throw new BadDefinitionError("supervise", wrong);
}

function messagesOf(on: unknown): ReadonlyMap<string, CompiledMessage> {
  if (typeof on !== "object" || on === null)
    throw new BadDefinitionError("on", "it must be an object of messages");
  const entries = Object.entries(on as Record<string, unknown>);
  if (entries.length === 0 || entries.length > MESSAGES_MAX)
    throw new BadDefinitionError("on", `it must have 1 to ${MESSAGES_MAX} messages`);
  return new Map(entries.map(([name, spec]) => [name, compiled(name, spec)]));
}

function compiled(name: string, spec: unknown): CompiledMessage {
  const field = `on.${name}`;
  if (name === "" || name.length > 64)
    throw new BadDefinitionError(field, "its name must have 1 to 64 characters");
  if (typeof spec !== "object" || spec === null)
    throw new BadDefinitionError(field, "it must be an object with handle");
  const { input = null, reply = null, chunk = null, handle } = spec as Record<string, unknown>;
  for (const key of Object.keys(spec))
    if (!MESSAGE_FIELDS.has(key))
      throw new BadDefinitionError(`${field}.${key}`, "a message has no such field");
  functionOf(`${field}.handle`, handle);
  const waits = isRoutineFunction(handle);
  if (chunk !== null && !waits)
    throw new BadDefinitionError(`${field}.handle`, "a stream's handler must be a generator function");
  return {
    name,
    handle: handle as Handle,
    input: schemaOf(`${field}.input`, input),
    reply: schemaOf(`${field}.reply`, reply),
    chunk: schemaOf(`${field}.chunk`, chunk),
    waits,
  };
}

function schemaOf(field: string, schema: unknown): StandardSchema | null {
  if (schema === null || isSchema(schema)) return schema;
  throw new BadDefinitionError(field, "it must be a Standard Schema of version 1");
}

function functionOf(field: string, value: unknown): void {
  if (typeof value !== "function") throw new BadDefinitionError(field, "it must be a function");
  if (ASYNC_FUNCTIONS.includes(Object.getPrototypeOf(value)))
    throw new BadDefinitionError(field, "an async function cannot be a handler; use a generator function");
}
