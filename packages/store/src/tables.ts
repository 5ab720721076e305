/**
 * What the rules of coordination need kept, and nothing more.
 *
 * T1. A write is visible to every later call of the same store.
 * T2. Counters only grow, also across a crash.
 * T3. At least as many of the newest changes and request outcomes are kept as the limits say; older ones go, oldest first.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow } from "@glia-os/abi/ports";
import type { MutationReply } from "./request.ts";

/** A session as it is kept. */
export interface StoredSession {
  readonly sessionId: string;
  readonly node: NodeId;
  readonly fence: number;
  readonly ttlMs: number;
  /**
   * When the lease ends by the wall clock, as of the last write: the first lease where only one process writes, else the last. For
   * people: no decision reads it, because a wall clock may jump.
   */
  readonly expiresWallMs: number;
  /** How often it was renewed, where other processes renew sessions too; 0 where only this one writes. */
  readonly renewals: number;
}

/** How a mutation ended the first time. */
export type Outcome =
  | { readonly value: MutationReply }
  | { readonly refused: { readonly code: string; readonly details: Readonly<Record<string, unknown>> } };

/** An outcome with the fingerprint of the arguments that led to it. */
export interface RememberedOutcome {
  readonly fingerprint: string;
  readonly outcome: Outcome;
}

/** The counters of a store. */
export type Counter = "fence" | "revision";

/** Rows by key. All calls are synchronous; durability is the business of whoever commits around them. */
export interface Tables {
  /** Forget what was kept of earlier reads: after a rollback. */
  reread(): void;
  /** The last value handed out, 0 at first. */
  counter(name: Counter): number;
  /** The next value of a counter (T2). A new revision counts once a row was put under it. */
  advance(name: Counter): number;
  /** All sessions. */
  sessions(): readonly StoredSession[];
  /** The session of a node. */
  sessionOf(node: NodeId): StoredSession | undefined;
  /** The session with this id. */
  session(sessionId: string): StoredSession | undefined;
  /** How many sessions there are. */
  sessionCount(): number;
  /** Write a new session; the caller removed any other of its node before. Returns it as it is stored. */
  putSession(session: Omit<StoredSession, "renewals">): StoredSession;
  /**
   * A kept session got its full time again. Returns it as it is stored. Where only one process writes, nothing need be written: its
   * clock knows the deadline, and after a restart every kept session has its full time again (L1).
   */
  renewSession(session: StoredSession): StoredSession;
  /** Remove a session, if it is there. */
  dropSession(sessionId: string): void;
  /** The row of an agent. */
  agent(agent: AgentId): AgentRow | undefined;
  /** The row with this name that is not terminated. */
  agentNamed(name: string): AgentRow | undefined;
  /** Rows that are not terminated, by the code points of their names. */
  liveAgents(): readonly AgentRow[];
  /** How many rows there are, and how many of them are not terminated. */
  agentCounts(): { readonly rows: number; readonly live: number };
  /** Write a row and add it to the changes under its revision (T3). */
  putAgent(row: AgentRow): void;
  /** Changed rows with a revision above `revision`, oldest first. */
  changes(revision: number, limit: number): readonly AgentRow[];
  /** The oldest revision that is kept; `undefined` when there is none. */
  oldestChange(): number | undefined;
  /** What a request answered, if it is remembered. */
  recall(requestId: string): RememberedOutcome | undefined;
  /** Remember what a request answered (T3). */
  remember(requestId: string, remembered: RememberedOutcome): void;
}
