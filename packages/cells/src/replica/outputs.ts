/**
 * What cells with a replica ask of others, on the gate's side (docs/spec/replica.md, "What leaves"). Kept by whoever does it.
 *
 * OP1. Everything that decides what was asked for and what was done about it is an entry of the log: `said`, `accepted` and `did` in the order of the
 *      log lead from one state to the next, here as at the replica.
 * OP2. What is asked for is done when its entry is held, and not before.
 * OP3. It is done, too, when the agent holds no capabilities any more: once it is kept (`keeps`) it goes with the agent wherever that goes on.
 */
import type { AgentId } from "@glia-os/abi/ids";

/** One cell with a replica, for whoever does what it asks for. */
export interface RecordedCell {
  readonly agent: AgentId;
  /** Something was done: an entry of the log. */
  did(event: Uint8Array): void;
  /** Do something when everything in the log so far is held. */
  when(go: () => void): void;
}

/** The outputs of the cells of one gate. */
export interface CellOutputs {
  /** A cell with a replica is here, and does not run yet. `asks`: it holds capabilities. Of one that holds none what it brings is kept (OP3). */
  open(cell: RecordedCell, asks: boolean): void;
  /** Whether there is an account of what a cell asks for here. */
  keeps(agent: AgentId): boolean;
  /** It is not here any more. */
  close(agent: AgentId): void;
  /** The guest asked for this. */
  said(agent: AgentId, outputs: Uint8Array): void;
  /** A message is in its mailbox. */
  accepted(agent: AgentId, payload: Uint8Array): void;
  /** What was asked for and is not done, with what the log has by now. */
  state(agent: AgentId): Uint8Array;
  /** What goes on from a state (undefined: the first) with what a log has after it. @throws {BadImageError} */
  resume(agent: AgentId, state: Uint8Array | undefined): ResumedOutputs;
}

/** A state that is brought up to the end of a log. @throws {BadImageError} for what `CellOutputs` did not write */
export interface ResumedOutputs {
  said(outputs: Uint8Array): void;
  accepted(payload: Uint8Array): void;
  did(event: Uint8Array): void;
  /** As baggage of a cell (cell-baggage.ts). */
  baggage(): Uint8Array;
}
