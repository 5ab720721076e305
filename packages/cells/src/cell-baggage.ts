/**
 * What else of a cell is kept beside its gate and moves with it, such as its outgoing links (docs/spec/agents-service.md).
 *
 * CB1. From `pack` until `stays` or `gone` nothing is done for the cell; what was packed is everything needed to go on.
 * CB2. What a cell brings along is with the gate before the cell runs, and is checked like all of its image.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { CellEnd } from "./runner-port.ts";

/** Most bytes of baggage. */
export const BAGGAGE_BYTES_MAX: number = 24 * 1024 * 1024;

/** Why a cell is not here any more. */
export type CellLeft = CellEnd | { readonly kind: "terminated" | "moved" | "discarded" };

/** Keeps the baggage of the cells of one gate. Called in the turn in which the gate changes; must not throw but for `stage`. */
export interface CellBaggage {
  /** The cell stands still to move: what goes with it, at most {@link BAGGAGE_BYTES_MAX}; undefined for none. */
  pack(agent: AgentId): Uint8Array | undefined;
  /** It goes on here after all. */
  stays(agent: AgentId): void;
  /** A cell that does not run yet brought this. @throws {BadImageError} */
  stage(agent: AgentId, bytes: Uint8Array): void;
  /** A cell that arrived runs. */
  runs(agent: AgentId): void;
  /** A cell is not here any more. */
  gone(agent: AgentId, left: CellLeft): void;
}
