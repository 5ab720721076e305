/** What a node tells an agent made by `agent()` beside the messages of others (docs/spec/agents-service.md, "What a node tells an agent"). */
import type { AgentRef } from "../agent/reference.ts";

/** Who an agent is and what it begins with. */
export interface BeginWord {
  readonly host: "begin";
  readonly self: AgentRef;
  /** The key of its definition; that of the bundle without it. */
  readonly definition?: string;
  readonly parent?: AgentRef;
  /** An envelope whose input it is. */
  readonly input?: unknown;
}

/** What is asked of it. */
export type HostWord =
  | BeginWord
  | { readonly host: "report" | "messages" | "pause" | "resume" | "stop" }
  | { readonly host: "log"; readonly entries: number }
  | { readonly host: "upgrade"; readonly definition: string };

/** How the text of one begins; no envelope begins so. */
export const HOST_WORD = '{"host":';
/** The reply to an ask whose answer comes as a message. */
export const LATER = '{"host":"later"}';
