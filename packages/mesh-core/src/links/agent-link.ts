/** The face of a link that programs hold: promises over the machine in link-sender.ts. */
import type { AgentId } from "@glia-os/abi/ids";

/** Counts of one link. */
export interface LinkStats {
  /** Messages accepted by `send` and `ask`. */
  readonly sent: number;
  /** Messages the agent's node acknowledged as in the agent's mailbox. */
  readonly acknowledged: number;
  /** Messages put on the wire again. */
  readonly resent: number;
  /** Asks without a reply so far. */
  readonly awaiting: number;
}

/** A one-way, ordered, exactly-once stream of messages to one agent, wherever it is. */
export interface AgentLink {
  readonly agent: AgentId;
  /** Resolves when the link took the message under its window: awaiting it is the back-pressure. @throws `mesh.link-limit`, `mesh.agent-unknown`, `mesh.link-broken`. */
  send(payload: Uint8Array): Promise<void>;
  /** Send and wait for the agent's reply. @throws `mesh.link-timeout` after `timeoutMs`. */
  ask(payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Resolves when everything sent so far is acknowledged. @throws `mesh.link-timeout`. */
  flush(timeoutMs: number): Promise<LinkStats>;
  stats(): LinkStats;
  /** Refuse new messages, tell the agent's node that the link is done once all is acknowledged (or after one second). Idempotent. */
  close(): Promise<void>;
}
