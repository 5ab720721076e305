/**
 * The lifecycle of a cell on one node.
 *
 *     created --> running <--> suspended
 *        |           |             |      created also becomes suspended: it arrived so
 *        |           v             v
 *        |        migrating --> (running or suspended: thawed)
 *        |           |
 *        +-----------+--> terminated
 *
 * CS1. A cell changes state only along {@link TRANSITIONS}; anything else is refused and changes nothing.
 * CS2. `created` is also a staged agent: complete and valid, and it has not run an instruction here.
 */
import type { AgentId } from "@glia-os/abi/ids";
import { IllegalTransitionError } from "./errors.ts";

/** Where a cell stands on this node. */
export type CellState = "created" | "running" | "suspended" | "migrating" | "terminated";

/** From each state, the states that may follow. */
export const TRANSITIONS: Readonly<Record<CellState, readonly CellState[]>> = {
  created: ["running", "suspended", "terminated"],
  running: ["suspended", "migrating", "terminated"],
  suspended: ["running", "migrating", "terminated"],
  migrating: ["running", "suspended", "terminated"],
  terminated: [],
};

/** The next state, checked (CS1). @throws {IllegalTransitionError}. */
export function transition(agent: AgentId, from: CellState, to: CellState): CellState {
  if (!TRANSITIONS[from].includes(to)) throw new IllegalTransitionError(agent, from, to);
  return to;
}
