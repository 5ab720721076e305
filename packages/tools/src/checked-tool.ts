/**
 * Tools whose inputs and answers are checked.
 *
 * CT1. An input that is too large or does not fit never reaches the tool; an answer that is too large or does not fit never leaves it.
 * CT2. A call that takes longer than `timeoutMs` is told to stop by its cancel signal, and fails; what it answers later is dropped.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { CancelSignal, Timers, Tool } from "@glia-os/abi/ports";
import {
  BadDefinitionError,
  InvalidInputError,
  InvalidOutputError,
  ToolFailedError,
  ToolTimeoutError,
  ToolTooLargeError,
} from "./errors.ts";
import { type JsonSchema, SchemaCheck } from "./schema.ts";
import { StopSignal } from "./stop-signal.ts";

/** How a tool is defined. */
export interface ToolDefinition<Input = never, Output = unknown> {
  /** As models see it: 1 to 64 of letters, digits, `_` and `-`. */
  readonly name: string;
  /** What it does, for models: at most 16,384 characters. */
  readonly description: string;
  readonly input: JsonSchema;
  readonly output?: JsonSchema;
  /** 1 to 86,400,000 ms; needs `timers`. Default: no limit. */
  readonly timeoutMs?: number;
  readonly timers?: Timers;
  /** Characters of JSON of an input, and of an answer: 1 to 16,777,216, default 1,048,576. */
  readonly inputLimit?: number;
  readonly outputLimit?: number;
  /** Run once. `key` as in `Tool`. */
  run(input: Input, cancel: CancelSignal, key: string): Promise<Output> | Output;
}

/** A tool with what a model must know of it. */
export interface CheckedTool extends Tool {
  readonly name: string;
  readonly description: string;
  readonly input: JsonSchema;
  readonly output: JsonSchema | undefined;
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const DESCRIPTION_MOST = 16_384;
const LIMIT = 1_048_576;
const LIMIT_MOST = 16_777_216;
const TIMEOUT_MOST = 86_400_000;

/** Make a tool. Offer it to tasks with `toolService` of the kernel. @throws {BadDefinitionError} */
export function defineTool<Input = never, Output = unknown>(
  definition: ToolDefinition<Input, Output>,
): CheckedTool {
  const {
    name,
    description,
    input,
    output,
    timeoutMs,
    timers,
    inputLimit = LIMIT,
    outputLimit = LIMIT,
  } = definition;
  if (typeof name !== "string" || !NAME.test(name))
    throw new BadDefinitionError(String(name), "its name is not 1 to 64 letters, digits, _ and -");
  if (typeof description !== "string" || description.length > DESCRIPTION_MOST)
    throw new BadDefinitionError(
      name,
      `its description is no text of at most ${DESCRIPTION_MOST} characters`,
    );
  for (const [what, limit] of Object.entries({ inputLimit, outputLimit }))
    checkLimit(name, what, limit, LIMIT_MOST);
  if (timeoutMs !== undefined) checkLimit(name, "timeoutMs", timeoutMs, TIMEOUT_MOST);
  if (timeoutMs !== undefined && timers === undefined)
    throw new BadDefinitionError(name, "timeoutMs needs timers");
  const inputCheck = new SchemaCheck(name, "input", input);
  const outputCheck = output === undefined ? undefined : new SchemaCheck(name, "output", output);
  return {
    name,
    description,
    input,
    output,
    async run(given, cancel, key) {
      const value = checkedInput(name, inputCheck, given, inputLimit) as Input;
      const answer = await timed(definition, value, cancel, key);
      return checkedOutput(name, outputCheck, answer, outputLimit);
    },
  };
}

/** What a model is offered, as `tools` of a chat request takes it. */
export function offerOf({ name, description, input }: Pick<CheckedTool, "name" | "description" | "input">): {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonSchema };
} {
  return { type: "function", function: { name, description, parameters: input } };
}

/** An input made plain and checked. @throws {ToolTooLargeError} {InvalidInputError} */
export function checkedInput(tool: string, check: SchemaCheck, given: unknown, limit: number): unknown {
  const value = plain(given, limit, `the input of ${tool}`, (why) => new InvalidInputError(tool, "#", why));
  const finding = check.findingIn(value);
  if (finding !== undefined) throw new InvalidInputError(tool, finding.where, finding.why);
  return value;
}

/** An answer made plain and checked. @throws {ToolTooLargeError} {InvalidOutputError} */
export function checkedOutput(
  tool: string,
  check: SchemaCheck | undefined,
  answer: unknown,
  limit: number,
): unknown {
  const value = plain(
    answer,
    limit,
    `the answer of ${tool}`,
    (why) => new InvalidOutputError(tool, "#", why),
  );
  const finding = check?.findingIn(value);
  if (finding !== undefined) throw new InvalidOutputError(tool, finding.where, finding.why);
  return value;
}

/** Refuse what is no limit. @throws {BadDefinitionError} */
export function checkLimit(tool: string, what: string, value: number, most: number): void {
  if (!(Number.isSafeInteger(value) && value >= 1 && value <= most))
    throw new BadDefinitionError(tool, `${what} is no whole number from 1 to ${most}`);
}

function plain(value: unknown, limit: number, what: string, refusal: (why: string) => Error): unknown {
  let json: string;
  try {
    json = JSON.stringify(value ?? null);
  } catch (error) {
    throw refusal(`it is no plain data: ${(error as Error).message}`);
  }
  if (json === undefined) throw refusal("it is no plain data");
  if (json.length > limit) throw new ToolTooLargeError(what, limit);
  return JSON.parse(json);
}

async function timed<Input, Output>(
  { name, run, timeoutMs, timers }: ToolDefinition<Input, Output>,
  input: Input,
  cancel: CancelSignal,
  key: string,
): Promise<unknown> {
  const stop = new StopSignal(cancel);
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {});
  const timer =
    timeoutMs === undefined
      ? undefined
      : timers?.schedule(timeoutMs, () => {
          const error = new ToolTimeoutError(name, timeoutMs);
          late.reject(error);
          stop.raise(error);
        });
  try {
    return await Promise.race([(async () => run(input, stop, key))(), late.promise]);
  } catch (error) {
    if (isGliaError(error)) throw error;
    throw new ToolFailedError(name, error instanceof Error ? error.message : String(error));
  } finally {
    timer?.cancel();
    stop.end();
  }
}
