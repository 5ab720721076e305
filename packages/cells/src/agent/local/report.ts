/** What is known of an agent of this thread. */
import type { AgentReport } from "../system.ts";
import type { LocalAgent } from "./local-agent.ts";

/** The report of an agent, as plain data. */
export function reportOf(agent: LocalAgent): AgentReport {
  return {
    ref: agent.ref,
    kind: agent.definition.name,
    version: agent.definition.version,
    state: agent.lifecycle,
    waiting: agent.waiting,
    dropped: agent.dropped,
    children: agent.children(),
    profile: agent.profile(),
    place: "here",
  };
}
