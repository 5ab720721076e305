/** Runs agents in this thread, without a node. */
export { NoGoldenStateError, RunStateError } from "../errors.ts";
export {
  type AgentPorts,
  AgentRun,
  type AgentRunOptions,
  type AgentState,
  resumeAgentRun,
  startAgentRun,
  unpackAgentRun,
} from "./agent-run.ts";
export { decodeFrozenAgent, encodeFrozenAgent, type FrozenAgent } from "./frozen-agent.ts";
export { goldenState } from "./golden.ts";
export type { AgentRequest, AgentResponse } from "./outside.ts";
