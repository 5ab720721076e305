/**
 * Truth about who owns what (DESIGN: "hints on the mesh, truth on an engine"; docs/spec/coordination.md).
 *
 * K1. An agent row has exactly one owner per epoch; every change of owner raises the epoch by compare-and-swap.
 * K2. A compare-and-swap against any other than the stored epoch changes nothing and returns the stored row.
 * K3. A node session has a lease. An expired session owns nothing new, and its fence is never accepted again.
 * K4. A mutation repeated with the same `requestId` has the effect of one and returns the first outcome; with other arguments it is refused.
 * K5. Revisions grow by one per change in one order that every watcher sees.
 * K6. `takeOver` changes a row only while the session in it is over, judged in the same step as the change: for a replica that the row names,
 *     or to end it. The replicas that are left stay named.
 */
import type { AgentId } from "../ids/agent-id.ts";
import type { Epoch } from "../ids/epoch.ts";
import type { NodeId } from "../ids/node-id.ts";

/** Most replicas of one agent. */
export const REPLICAS_MAX = 4;

/** A node's lease on existing. */
export interface NodeSession {
  readonly sessionId: string;
  readonly node: NodeId;
  /** Grows with every session of any node; refused when it is not the newest of its node. */
  readonly fence: number;
  /** Milliseconds the lease lasts from the moment the request was sent. The holder counts on its own monotonic clock. */
  readonly ttlMs: number;
}

/**
 * Where an agent stands. `suspended`: by request, on its owner. `failed`: it ended by its own error. `exported`: taken out into a file, and it
 * runs nowhere until the file is imported. The last two run nowhere, and keep their name.
 */
export type AgentStatus = "running" | "suspended" | "terminated" | "failed" | "exported";

/** The committed truth about one agent. */
export interface AgentRow {
  readonly agent: AgentId;
  readonly epoch: Epoch;
  readonly owner: NodeId;
  /** The owner's session when the row was written. */
  readonly sessionId: string;
  readonly status: AgentStatus;
  /** A name people use; unique among agents that are not terminated. */
  readonly name: string;
  /** SHA-256 of the program, as hexadecimal. */
  readonly programHash: string;
  /**
   * The nodes that may take the agent over once the session above ended (K6): 1 to {@link REPLICAS_MAX} different ones, none of them the owner.
   * Absent: nobody may.
   */
  readonly replicas?: readonly NodeId[];
  /** The revision that wrote this row (K5). */
  readonly revision: number;
}

/** What a compare-and-swap writes. */
export interface AgentChange {
  readonly owner: NodeId;
  readonly sessionId: string;
  readonly status: AgentStatus;
  /** Who may take the agent over from now on; empty: nobody. Absent: as it was while the owner stays the same, else nobody. */
  readonly replicas?: readonly NodeId[];
}

/** What a take-over writes: this node as owner, the other replicas as before, running or suspended as it was; or the end of the agent. */
export interface TakeOver {
  /** A live session of the node that asks. */
  readonly sessionId: string;
  /** The session in the row, which is over. */
  readonly from: string;
  readonly status: "running" | "terminated";
}

/** The outcome of a compare-and-swap (K2). */
export type CasOutcome =
  | { readonly kind: "committed"; readonly row: AgentRow }
  | { readonly kind: "conflict"; readonly row: AgentRow }
  | { readonly kind: "unknown-agent" };

/** A committed change. */
export interface CoordinationChange {
  readonly revision: number;
  readonly row: AgentRow;
}

/** The registry of agents, ownership epochs and node sessions. */
export interface Coordination {
  /** Start a session for `node`; any earlier session of that node ends (K3). `ttlMs` from 1,000 to 600,000. */
  openSession(node: NodeId, ttlMs: number, requestId: string): Promise<NodeSession>;
  /** Extend a lease. @throws `store.session-expired` when it ran out or was replaced. */
  renewSession(sessionId: string): Promise<NodeSession>;
  /** End a session at once. Idempotent. */
  closeSession(sessionId: string): Promise<void>;
  /** Create a row at epoch 1. @throws `store.agent-exists`, `store.name-taken`, `store.session-expired`. */
  createAgent(row: Omit<AgentRow, "epoch" | "revision">, requestId: string): Promise<AgentRow>;
  /** Replace owner, session and status and raise the epoch by one, if the stored epoch is `expected` (K1, K2). */
  compareAndSwap(
    agent: AgentId,
    expected: Epoch,
    change: AgentChange,
    requestId: string,
  ): Promise<CasOutcome>;
  /**
   * Take the agent of a node that is gone, or end it: as `compareAndSwap`, for a row whose own session is over (K6). To run it the row must name
   * the asking node as a replica; to end it any node may ask. @throws `store.owner-alive`, `store.not-replica`, `store.session-expired`,
   * `store.agent-terminated`.
   */
  takeOver(agent: AgentId, expected: Epoch, change: TakeOver, requestId: string): Promise<CasOutcome>;
  /** The row of an agent. */
  getAgent(agent: AgentId): Promise<AgentRow | undefined>;
  /** The row with this name that is not terminated. */
  findAgent(name: string): Promise<AgentRow | undefined>;
  /** All rows that are not terminated, by name; at most 10,000. */
  listAgents(): Promise<readonly AgentRow[]>;
  /** Changes after `revision`, in order, oldest first; at most `limit` (1 to 1,000). */
  changesSince(revision: number, limit: number): Promise<readonly CoordinationChange[]>;
  /** Release files and connections. Idempotent. */
  close(): Promise<void>;
}
