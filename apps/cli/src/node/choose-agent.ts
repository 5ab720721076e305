/** Which agent a person means. */
import type { AgentView, NodeApi } from "@glia-os/daemon";
import { nearestWord } from "@glia-os/daemon/config";
import { AgentAmbiguousError, AgentUnknownError } from "../errors.ts";

/** Fewest characters of an id that count as a prefix, so that short names are never taken for one. */
const PREFIX_MIN = 6;

/** The living agent with this name, this id, or the only one whose id starts with it. Names win over prefixes. */
export async function chooseAgent(node: Pick<NodeApi, "listAgents">, text: string): Promise<AgentView> {
  const agents = await node.listAgents();
  const exact = agents.find(({ agent, name }) => agent === text || name === text);
  if (exact !== undefined) return exact;
  const isPrefix = new RegExp(`^[0-9a-f]{${PREFIX_MIN},31}$`).test(text);
  const matches = isPrefix ? agents.filter(({ agent }) => agent.startsWith(text)) : [];
  const [only] = matches;
  if (only === undefined) {
    const names = agents.map(({ name }) => name);
    throw new AgentUnknownError(text.slice(0, 80), nearestWord(text, names));
  }
  if (matches.length > 1)
    throw new AgentAmbiguousError(
      text,
      matches.map(({ agent, name }) => `${name} (${agent})`),
    );
  return only;
}
