/** Errors of nodes and links in the words of agents. */
import { errorCodeOf, toErrorRecord } from "@glia-os/abi/errors";
import { AgentEndedError, errorOf } from "@glia-os/cells/agent";

const WORDS: Readonly<Record<string, string>> = {
  "store.name-taken": "agent.name-taken",
  "daemon.unknown-node": "agent.place-unknown",
  "daemon.ambiguous-node": "agent.place-unknown",
  "daemon.unknown-agent": "agent.unknown-agent",
  "mesh.agent-unknown": "agent.unknown-agent",
  "daemon.agent-failed": "agent.ended",
};

/** The record of an error, with the code that agents know it by where there is one. */
export function agentRecord(error: unknown): ReturnType<typeof toErrorRecord> {
  const record = toErrorRecord(error);
  const code = WORDS[errorCodeOf(error) ?? ""];
  return code === undefined ? record : { ...record, code: code as typeof record.code };
}

/** The error as agents throw it. */
export function agentError(error: unknown): unknown {
  return WORDS[errorCodeOf(error) ?? ""] === undefined ? error : errorOf(agentRecord(error));
}

/** Whether an error says that an agent is not there any more. */
export function saysGone(error: unknown): boolean {
  const code = agentRecord(error).code as string;
  return code === "agent.unknown-agent" || code === "agent.ended" || error instanceof AgentEndedError;
}
