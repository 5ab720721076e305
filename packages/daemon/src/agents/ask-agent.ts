/** Asks an agent on a node what only its node may ask. */
import type { AgentRef } from "@glia-os/cells/agent";
import type { NodeApi } from "../node-api.ts";
import { agentError } from "./agent-words.ts";
import { type HostMessage, hostMessage } from "./host-message.ts";

const ANSWER_MS = 5000;

/** The answer, which is JSON. @throws `agent.unknown-agent`, `mesh.link-timeout` */
export async function askAgent(
  node: Pick<NodeApi, "ask">,
  { id }: AgentRef,
  message: HostMessage,
): Promise<unknown> {
  try {
    const reply = await node.ask(id, hostMessage(message), ANSWER_MS);
    return JSON.parse(new TextDecoder().decode(reply)) as unknown;
  } catch (error) {
    throw agentError(error);
  }
}
