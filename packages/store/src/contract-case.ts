/** What the cases of the coordination contract are made of. */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { Coordination, NodeSession } from "@glia-os/abi/ports";
import type { CoordinationLimits } from "./limits.ts";
import type { NewAgent } from "./request.ts";

/** What an implementation brings to run the contract. */
export interface CoordinationHarness {
  /** An empty store with these limits; the harness disposes of what it opened. */
  open(limits?: Partial<CoordinationLimits>): Promise<Coordination>;
  /** Let the monotonic clock that judges leases move on. */
  advanceMs(ms: number): void;
}

/** One promise of the contract. */
export interface ContractCase {
  readonly title: string;
  readonly run: (harness: CoordinationHarness) => Promise<void>;
}

/** A node id made of one hexadecimal digit. */
export function nodeNamed(digit: string): NodeId {
  return digit.repeat(64) as NodeId;
}

/** An agent id made of one hexadecimal digit. */
export function agentNamed(digit: string): AgentId {
  return digit.repeat(32) as AgentId;
}

/** A new row owned by a session. */
export function newAgent(agent: AgentId, session: NodeSession, name: string): NewAgent {
  const programHash = "f".repeat(64);
  return { agent, owner: session.node, sessionId: session.sessionId, status: "running", name, programHash };
}
