/**
 * What a node tells an agent itself, beside the messages of other agents (docs/spec/agents-service.md): JSON that begins with the field `host`,
 * which no envelope has.
 */
import type { AgentId } from "@glia-os/abi/ids";

/** Who an agent is and what it begins with: the first message it gets. */
export interface Opening {
  readonly self: { readonly id: AgentId; readonly name?: string };
  /** The definition of the module that it is; the module's own when it is left out. */
  readonly definition?: string;
  readonly parent?: { readonly id: string; readonly name?: string };
  /** What its `start` gets: the input of this envelope (docs/spec/agent-message.md). */
  readonly input?: unknown;
}

/** A message of the node to an agent of it. */
export type HostMessage =
  | ({ readonly host: "begin" } & Opening)
  /** The answer to a request: a value, or the record of an error. */
  | { readonly host: "answer"; readonly request: number; readonly value: unknown }
  | { readonly host: "answer"; readonly request: number; readonly error: unknown }
  /** Say how you are: answered as the reply to this message. */
  | { readonly host: "report" }
  /** Keep the last so many messages, 0 for none; or give them. */
  | { readonly host: "log"; readonly entries: number }
  | { readonly host: "messages" }
  /** Handle nothing from the next message on; go on: answered by null. */
  | { readonly host: "pause" | "resume" }
  /** Become another version of the module's definition: answered by null, `{busy}` or `{error}`. */
  | { readonly host: "upgrade"; readonly definition: string }
  | { readonly host: "stop" };

/** As bytes; the field `host` comes first. */
export function hostMessage(message: HostMessage): Uint8Array {
  const { host, ...rest } = message;
  return new TextEncoder().encode(JSON.stringify({ host, ...rest }));
}

/** The grant of agents that speak with others. */
export const AGENTS_GRANT = "service/agents";

/** The first message of an agent that speaks with others; undefined for any other. */
export function firstMessage(
  agent: AgentId,
  { name, grants }: { readonly name: string; readonly grants: readonly string[] },
  beginning: Omit<Opening, "self">,
): Uint8Array | undefined {
  if (!grants.includes(AGENTS_GRANT)) return undefined;
  return hostMessage({ host: "begin", self: { id: agent, name }, ...beginning });
}
