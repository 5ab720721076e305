/** A voter, as a definition for this process and as the module of a WebAssembly cell. */
import { type AgentContext, agent } from "@glia-os/cells/agent";

/** Always says the same. */
export const voter = agent({
  name: "voter",
  on: { vote: { handle: (_ctx: AgentContext, _question: string): string => "go" } },
});

export default voter;
