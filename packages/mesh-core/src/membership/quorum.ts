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

/** Members by state, and those that are core or relay once more. A table keeps it as rows change, so that a view costs no pass over them. */
export class Tally {
  readonly all: Record<MemberState, number> = { alive: 0, suspect: 0, dead: 0, left: 0 };
  readonly strong: Record<MemberState, number> = { alive: 0, suspect: 0, dead: 0, left: 0 };

  /** One more, or with -1 one fewer, of a role in a state. */
  count(role: NodeRole, state: MemberState, by: 1 | -1 = 1): void {
    this.all[state] += by;
    if (role === "core" || role === "relay") this.strong[state] += by;
  }
}

/** The view of a table (Q1, Q2); O(1). */
export function quorumOf({ all, strong }: Tally): QuorumView {
  const staying = (of: Record<MemberState, number>): number => of.alive + of.suspect + of.dead;
  const voters = staying(strong) >= VOTERS_MIN ? strong : all;
  const known = staying(voters);
  const dead = voters.dead;
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
