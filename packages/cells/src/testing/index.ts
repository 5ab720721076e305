/** Tools to test systems of agents with: the contract of every system, and agents on a simulated network. */
export { type AgentSystemCase, agentSystemContract } from "./agent-system-contract.ts";
export {
  type Family,
  type FamilyMessages,
  family,
  type Ledger,
  type LedgerMessages,
  ledger,
  ledgerBroken,
  ledgerTwo,
  schemaOf,
} from "./contract-agents.ts";
export {
  SimulatedAgents,
  type SimulatedAgentsOptions,
  type SimulatedLogLine,
} from "./simulated-agents.ts";
