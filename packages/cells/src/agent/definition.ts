/**
 * The definition of a kind of agent: data and functions, bound to no host.
 *
 * AD1. A definition never touches its host: its handlers act only through their context, so that one definition runs everywhere.
 * AD2. A definition is checked when it is made, and does not change after.
 * AD3. Schemas are compiled into the definition once, not looked up per message.
 */
import type { AgentContext } from "./context.ts";
import type { AnyAgent, StopReason } from "./kind.ts";
import type { AgentProfile } from "./profile.ts";
import type { AgentRoutine } from "./routine.ts";
import type { StandardSchema } from "./standard-schema.ts";
import type { SupervisionPolicy } from "./supervision.ts";

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
  extends AnyAgent,
    AgentOptions<State, SpawnInput> {
  readonly name: string;
  readonly version: number;
  /** How messages are handled, by name. */
  readonly on: Readonly<Record<string, MessageHandler<State, never, unknown, never>>>;
  /** Types only. */
  readonly types?: Messages;
  /** Types only. */
  readonly spawnInput?: SpawnInput;
}
