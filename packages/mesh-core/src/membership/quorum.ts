/**
 * Whether this node still sees enough of the cluster (docs/spec/membership.md, "Quorum").
 *
 * Q1. Counted are the voters that are known and did not leave: `core` and `relay` members, or every member when fewer than
 *     {@link VOTERS_MIN} of those are known. Dead ones count until they are forgotten or removed: they may be on the other side.
 * Q2. No quorum: half of them or fewer are alive or suspect. Partition: at least two and at least a quarter are dead, and a majority is not.
 * Q3. A change is told only after it held for a settling time, so that one slow probe is no event.
 */
import type { MemberState, NodeRole } from "../mesh-types.ts";

/** With fewer core and relay members than this, edges count too. */
export const VOTERS_MIN = 3;
const PARTITION_SHARE = 0.25;

/** How much of the cluster a node sees. */
export type QuorumState = "whole" | "partition" | "lost";

/** A state, and the count behind it. */
export interface QuorumView {
  readonly state: QuorumState;
  /** Voters that are alive or suspect, this node included. */
  readonly reachable: number;
  /** Voters that are known and did not leave. */
  readonly known: number;
}

/** What is counted of a member. */
export interface Counted {
  readonly role: NodeRole;
  readonly state: MemberState;
}

/** The view of a table (Q1, Q2); O(members). */
export function quorumOf(members: readonly Counted[]): QuorumView {
  const staying = members.filter(({ state }) => state !== "left");
  const strong = staying.filter(({ role }) => role === "core" || role === "relay");
  const voters = strong.length >= VOTERS_MIN ? strong : staying;
  const known = voters.length;
  const dead = voters.filter(({ state }) => state === "dead").length;
  const reachable = known - dead;
  const parted = dead >= 2 && dead >= known * PARTITION_SHARE;
  const state = 2 * reachable <= known && dead > 0 ? "lost" : parted ? "partition" : "whole";
  return { state, reachable, known };
}

/** Tells changes of the state once they settled (Q3). */
export class QuorumWatch {
  readonly #settleMs: number;
  #told: QuorumState = "whole";
  #candidate: { readonly state: QuorumState; readonly sinceMs: number } | undefined;

  constructor(settleMs: number) {
    this.#settleMs = settleMs;
  }

  /** What was told last. */
  get state(): QuorumState {
    return this.#told;
  }

  /** Look again; the state when it is to be told now. */
  look(view: QuorumView, nowMs: number): QuorumState | undefined {
    if (view.state === this.#told) {
      this.#candidate = undefined;
      return undefined;
    }
    if (this.#candidate?.state !== view.state) this.#candidate = { state: view.state, sinceMs: nowMs };
    if (nowMs - this.#candidate.sinceMs < this.#settleMs) return undefined;
    this.#candidate = undefined;
    this.#told = view.state;
    return view.state;
  }
}
