/**
 * Reading completions, from one JSON body or from the chunks of a stream, into one form.
 *
 * AN1. What providers differ in is evened out: a stream may leave out the index of a tool call or send its name in parts, send usage last
 *      or with the last choice, and name another reason to finish than the tool calls that are there.
 * AN2. What is no completion is refused; nothing is made up. Usage that is missing or malformed is absent.
 */
import type { ChatAnswer, ToolCall, Usage } from "./chat.ts";
import { BadAnswerError } from "./errors.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Tool calls of one answer, at most. */
const CALLS_MOST = 256;

/** The answer in one JSON value. @throws {BadAnswerError} */
export function answerOf(body: unknown): ChatAnswer {
  const { id, model, choices, usage } = fields(body);
  if (!Array.isArray(choices) || choices.length === 0) throw new BadAnswerError("it has no choices");
  const { message, finish_reason } = fields(choices[0]);
  const { content = null, tool_calls } = fields(message);
  if (content !== null && typeof content !== "string") throw new BadAnswerError("its content is no text");
  return finished({ id, model, content, calls: toolCalls(tool_calls), reason: finish_reason, usage });
}

/** The answer in the chunks of a stream, in order. @throws {BadAnswerError} */
export function answerOfChunks(chunks: readonly unknown[]): ChatAnswer {
  let [id, model, reason, usage]: unknown[] = [];
  let content: string | null = null;
  const calls: OpenCall[] = [];
  for (const chunk of chunks) {
    const part = fields(chunk);
    if (part["error"] !== undefined) throw new BadAnswerError("the stream broke off with an error");
    id ??= part["id"];
    model ??= part["model"];
    usage = part["usage"] ?? usage;
    const [choice] = Array.isArray(part["choices"]) ? part["choices"] : [];
    if (choice === undefined) continue;
    const { delta, finish_reason } = fields(choice);
    reason = finish_reason ?? reason;
    const { content: text, tool_calls } = fields(delta);
    if (typeof text === "string") content = (content ?? "") + text;
    if (Array.isArray(tool_calls)) for (const call of tool_calls) extend(calls, fields(call));
  }
  if (reason === undefined) throw new BadAnswerError("the stream ended before the answer did");
  return finished({ id, model, content, calls: toolCalls(calls.map(closed)), reason, usage });
}

/** A tool call of which more may come. */
interface OpenCall {
  id: string;
  readonly index: unknown;
  name: string;
  text: string;
}

function extend(calls: OpenCall[], part: Fields): void {
  const { id, index, function: called } = part;
  const { name, arguments: text } = fields(called);
  const known = calls.find((call) =>
    index !== undefined ? call.index === index : call.id === id && id !== undefined,
  );
  const open = known ?? (index === undefined && id === undefined ? calls.at(-1) : undefined);
  if (open !== undefined) {
    if (typeof name === "string" && open.name !== name) open.name += name;
    if (typeof text === "string") open.text += text;
    return;
  }
  if (calls.length === CALLS_MOST) throw new BadAnswerError(`it has more than ${CALLS_MOST} tool calls`);
  calls.push({
    id: typeof id === "string" ? id : "",
    index,
    name: typeof name === "string" ? name : "",
    text: typeof text === "string" ? text : "",
  });
}

function closed({ id, name, text }: OpenCall): Fields {
  return { id, function: { name, arguments: text } };
}

function toolCalls(value: unknown): readonly ToolCall[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > CALLS_MOST)
    throw new BadAnswerError(`its tool calls are no list of at most ${CALLS_MOST}`);
  return value.map((each, at) => {
    const { id, function: called } = fields(each);
    const { name, arguments: text } = fields(called);
    if (typeof name !== "string" || name === "") throw new BadAnswerError("a tool call has no name");
    const given = typeof text === "string" ? text : JSON.stringify(text ?? {});
    // Some providers send no id: a message that answers the call needs one.
    return { id: named(id) ?? `call_${at}`, type: "function", function: { name, arguments: given } };
  });
}

interface Parts {
  readonly id: unknown;
  readonly model: unknown;
  readonly content: string | null;
  readonly calls: readonly ToolCall[];
  readonly reason: unknown;
  readonly usage: unknown;
}

function finished({ id, model, content, calls, reason, usage }: Parts): ChatAnswer {
  const used = usageOf(usage);
  return {
    id: named(id) ?? "",
    model: named(model) ?? "",
    message: { role: "assistant", content, ...(calls.length === 0 ? {} : { tool_calls: calls }) },
    finish_reason: calls.length > 0 ? "tool_calls" : (named(reason) ?? "stop"),
    ...(used === undefined ? {} : { usage: used }),
  };
}

function usageOf(value: unknown): Usage | undefined {
  const { prompt_tokens, completion_tokens = 0, total_tokens } = fields(value);
  if (!natural(prompt_tokens) || !natural(completion_tokens)) return undefined;
  const sum = prompt_tokens + completion_tokens;
  // Tokens of reasoning that a provider counts in the total alone are paid too.
  const total = natural(total_tokens) ? Math.max(total_tokens, sum) : sum;
  return { prompt_tokens, completion_tokens: total - prompt_tokens, total_tokens: total };
}

function named(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function natural(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
