/**
 * The definition of a kind of agent: data and functions, bound to no host.
 *
 * AD1. A definition never touches its host: its handlers act only through their context, so that one definition runs everywhere.
 * AD2. A definition is checked when it is made, and does not change after.
 * AD3. Schemas are compiled into the definition once, not looked up per message.
 */
import { type CompiledMessage, checkDefinition } from "./check-definition.ts";
import type { AgentContext } from "./context.ts";
import type { AgentProfile } from "./profile.ts";
import type { AgentRoutine } from "./routine.ts";
import type { StandardSchema } from "./standard-schema.ts";
import type { SupervisionPolicy } from "./supervision.ts";

/** Types of the messages of a kind of agent, by message name. */
export interface MessageTypes {
  readonly input: unknown;
  readonly reply: unknown;
  readonly chunk: unknown;
}

/** How one message is handled. */
export interface MessageHandler<State, Input, Reply, Chunk> {
  /** What a sender must give; anything without one. */
  readonly input?: StandardSchema<unknown, Input>;
  /** What the handler must return; anything without one. */
  readonly reply?: StandardSchema<unknown, Reply>;
  /** Makes the message a stream: what it may emit. */
  readonly chunk?: StandardSchema<unknown, Chunk>;
  /** A plain function, or a generator function, which may wait. */
  handle(ctx: AgentContext<State, Chunk>, input: Input): Reply | AgentRoutine<Reply>;
}

/** Why an agent stops. */
export type StopReason = "stopped" | "parent-ended" | "failed" | "restart" | "upgrade" | "shutdown";

/** The state of an agent: made afresh for each, and checked where there is a schema. */
export type StateSource<State> =
  | ((input: unknown) => State)
  | { readonly schema: StandardSchema<unknown, State>; readonly initial: (input: unknown) => unknown };

/** What `agent()` takes, beside the messages. */
export interface AgentOptions<State, SpawnInput> {
  /** The kind: 1 to 64 of `a-z 0-9 - . _`. */
  readonly name: string;
  /** A whole number from 1; default 1. */
  readonly version?: number;
  /** The first state of each agent. Default: an empty object. */
  readonly state?: StateSource<State>;
  /** Runs before the first message; `input` is what the spawner gave. A generator may wait; messages wait too. */
  start?(ctx: AgentContext<State>, input: SpawnInput): void | AgentRoutine<void>;
  /** Runs once when the agent ends; it cannot wait. */
  stop?(ctx: AgentContext<State>, reason: StopReason): void;
  /** Checked after each message: true, or what is wrong. A violation fails the agent and names the message. */
  invariant?(state: State): boolean | string;
  /** What the agent expects to use of one core in the near future: 0 to 1. Default: what it uses now. */
  forecast?(profile: AgentProfile): number;
  /** Takes over the state of an older version. Without one, an upgrade keeps the state as it is. */
  codeChange?(state: unknown, fromVersion: number): State;
  /** A thrown handler error: `reply` fails that message only, `fail` ends the agent. Default: `reply` for asks, `fail` for tells. */
  readonly onError?: "reply" | "fail";
  /** What happens when a child fails, unless its spawn says otherwise. Default `{ onFailure: "stop" }`. */
  readonly supervise?: SupervisionPolicy;
}

/** A kind of agent. Made by `agent` only. */
export interface AgentDefinition<State = unknown, Messages = unknown, SpawnInput = unknown>
  extends AgentOptions<State, SpawnInput> {
  readonly version: number;
  /** How messages are handled, by name. */
  readonly on: Readonly<Record<string, MessageHandler<State, never, unknown, never>>>;
  /** The same, made ready for the interpreter. */
  readonly messages: ReadonlyMap<string, CompiledMessage>;
  /** Types only. */
  readonly types?: Messages;
}

/** The bound of every definition, whatever its types. */
export type AnyAgent = AgentDefinition<unknown, unknown, unknown>;

type TypesOf<Def> = Def extends { readonly types?: infer Messages } ? Messages : unknown;

/** The message names of a kind of agent; any text when the kind is not known. */
export type MessageName<Def> = unknown extends Def
  ? string
  : TypesOf<Def> extends infer Messages
    ? unknown extends Messages
      ? string
      : keyof Messages & string
    : string;

type Part<Def, Name, What extends keyof MessageTypes> =
  TypesOf<Def> extends infer Messages
    ? Name extends keyof Messages
      ? Messages[Name] extends MessageTypes
        ? Messages[Name][What]
        : unknown
      : unknown
    : unknown;

/** What a message takes. */
export type InputOf<Def, Name> = Part<Def, Name, "input">;
/** What an ask of it gives. */
export type ReplyOf<Def, Name> = Part<Def, Name, "reply">;
/** What a stream of it gives. */
export type ChunkOf<Def, Name> = Part<Def, Name, "chunk">;
/** What the hook `start` of a kind takes. */
export type SpawnInputOf<Def> =
  Def extends AgentDefinition<infer _State, unknown, infer Input> ? Input : unknown;

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
