/** The function that makes definitions. */
import { checkDefinition } from "./check-definition.ts";
import type { AgentContext } from "./context.ts";
import type { AgentDefinition, AgentOptions } from "./definition.ts";
import type { AgentRoutine } from "./routine.ts";
import type { StandardSchema } from "./standard-schema.ts";

type Typed<Inputs, Replies, Chunks> = {
  readonly [Name in keyof Inputs]: {
    readonly input: Inputs[Name];
    readonly reply: Name extends keyof Replies ? Replies[Name] : unknown;
    readonly chunk: Name extends keyof Chunks ? Chunks[Name] : unknown;
  };
};

/** How the messages of a definition are written down: each part of a message's types is inferred by itself. */
type Handlers<State, Inputs, Replies, Chunks> = {
  readonly [Name in keyof Inputs]: {
    readonly input?: StandardSchema<unknown, Inputs[Name]>;
    handle(
      ctx: AgentContext<State, Name extends keyof Chunks ? Chunks[Name] : never>,
      input: Inputs[Name],
    ): unknown;
  };
} & {
  readonly [Name in keyof Replies]: {
    readonly reply?: StandardSchema<unknown, Replies[Name]>;
    handle(ctx: never, input: never): Replies[Name] | AgentRoutine<Replies[Name]>;
  };
} & {
  readonly [Name in keyof Chunks]: { readonly chunk?: StandardSchema<unknown, Chunks[Name]> };
};

/**
 * Define a kind of agent. Types of messages come from their schemas, or from what handlers take and return.
 * @throws {BadDefinitionError} naming the field
 */
export function agent<
  State = Record<string, never>,
  SpawnInput = unknown,
  Inputs = unknown,
  Replies = unknown,
  Chunks = unknown,
>(
  options: AgentOptions<State, SpawnInput> & { readonly on: Handlers<State, Inputs, Replies, Chunks> },
): AgentDefinition<State, Typed<Inputs, Replies, Chunks>, SpawnInput> {
  return checkDefinition(options) as AgentDefinition<State, Typed<Inputs, Replies, Chunks>, SpawnInput>;
}
