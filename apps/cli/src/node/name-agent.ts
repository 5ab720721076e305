/** Errors of a node about one agent, in the words of the person who named it. */
import { errorCodeOf, isGliaError, RemoteError } from "@glia-os/abi/errors";
import type { AgentView, NodeApi } from "@glia-os/daemon";
import { AgentWaitsError } from "../errors.ts";
import { chooseAgent } from "./choose-agent.ts";

/** What a node does with an agent; its error says the agent's name where it said the id. */
export async function named<T>({ agent, name }: AgentView, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isGliaError(error) || !error.message.includes(agent)) throw error;
    const record = error.toRecord();
    throw new RemoteError({ ...record, message: record.message.replaceAll(agent, name) });
  }
}

/** Something that an agent is to answer in time. @throws {AgentWaitsError} when it did not and has no replica though it wants one */
export async function answered<T>(
  node: Pick<NodeApi, "listAgents">,
  { agent, name }: AgentView,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (errorCodeOf(error)?.endsWith("-timeout") !== true) throw error;
    const live = await chooseAgent(node, agent).then(
      (now) => now.live,
      () => undefined, // What is known is that it did not answer.
    );
    throw live?.replica?.state === "missing" ? new AgentWaitsError(name, error) : error;
  }
}
