/** Addresses of agents: plain data that may be sent in messages, kept in states and written to disk. */
import { NAME_CHARS_MAX } from "./constants.ts";

declare const DEFINITION: unique symbol;

/** The address of an agent. `Def` is its definition's type and exists at compile time only. */
export interface AgentRef<Def = unknown> {
  /** 32 hexadecimal characters. */
  readonly id: string;
  /** The name it was spawned under, if it has one. */
  readonly name?: string;
  readonly [DEFINITION]?: Def;
}

/** Whom to send to: an agent, or whoever has a name. */
export type AgentTarget<Def = unknown> = AgentRef<Def> | string;

const ID = /^[0-9a-f]{32}$/;
const NAME: RegExp = new RegExp(`^[a-z0-9._-]{1,${NAME_CHARS_MAX}}$`);

/** Whether a text is an agent's id. */
export function isAgentId(text: unknown): text is string {
  return typeof text === "string" && ID.test(text);
}

/** Whether a text is a name of a kind, an agent or a topic: 1 to 64 of `a-z 0-9 - . _`. */
export function isAgentName(text: unknown): text is string {
  return typeof text === "string" && NAME.test(text);
}

/** Whether a value is an address. */
export function isAgentRef(value: unknown): value is AgentRef {
  if (typeof value !== "object" || value === null) return false;
  const { id, name } = value as Partial<AgentRef>;
  return isAgentId(id) && (name === undefined || isAgentName(name));
}
