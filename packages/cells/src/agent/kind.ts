/** What is known of every kind of agent, whatever its types; and the types of a kind's messages. */
import type { StandardSchema } from "./standard-schema.ts";
import type { SupervisionPolicy } from "./supervision.ts";

/** A handler as the interpreter calls it. */
export type Handle = (ctx: unknown, input: unknown) => unknown;

/** One message, made ready. One shape for all. */
export interface CompiledMessage {
  readonly name: string;
  readonly handle: Handle;
  readonly input: StandardSchema | null;
  readonly reply: StandardSchema | null;
  /** Set for streams. */
  readonly chunk: StandardSchema | null;
  /** Whether the handler may wait. */
  readonly waits: boolean;
}

/** Why an agent stops. `lost`: its node is gone, and nobody goes on with it; the agent itself hears nothing of that. */
export type StopReason = "stopped" | "parent-ended" | "failed" | "restart" | "killed" | "shutdown" | "lost";

/** Any kind of agent: made by `agent` only. */
export interface AnyAgent {
  /** The kind. */
  readonly name: string;
  readonly version: number;
  /** How messages are handled, made ready for the interpreter. */
  readonly messages: ReadonlyMap<string, CompiledMessage>;
  /** What happens when a child fails, unless its spawn says otherwise. */
  readonly supervise?: SupervisionPolicy;
  /** Types only. */
  readonly types?: unknown;
  /** Types only. */
  readonly spawnInput?: unknown;
}

/** Types of the messages of a kind of agent, by message name. */
export interface MessageTypes {
  readonly input: unknown;
  readonly reply: unknown;
  readonly chunk: unknown;
}

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
export type SpawnInputOf<Def> = Def extends { readonly spawnInput?: infer Input } ? Input : unknown;

/** What a definition is known by within its module. */
export function kindKey({ name, version }: Pick<AnyAgent, "name" | "version">): string {
  return version === 1 ? name : `${name}@${version}`;
}
