/** The base of the `agent` errors: it brings the sentences of their codes with it. */
import { AGENT_CODES } from "../codes/agent.ts";
import { GliaError, type GliaErrorOptions } from "../glia-error.ts";

/** A code of the `agent` namespace. */
export type AgentErrorCode = keyof typeof AGENT_CODES;

/** A refusal by an agent or its system; `code` says which. */
export class AgentError<Code extends AgentErrorCode = AgentErrorCode> extends GliaError<Code> {
  constructor(code: Code, message: string, options?: GliaErrorOptions) {
    super(code, message, AGENT_CODES[code], options);
  }
}
