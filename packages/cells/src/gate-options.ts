/** What a gate is made of, what it tells its node, and what it says of a cell. */
import type { AgentId, Epoch } from "@glia-os/abi/ids";
import type { Clock, Logger } from "@glia-os/abi/ports";
import type { LinkMessage, LinkVerdict } from "@glia-os/mesh-core";
import type { CellBaggage } from "./cell-baggage.ts";
import type { CellState } from "./cell-state.ts";
import type { KeptCells } from "./kept-cells.ts";
import type { PagesRunnerPort } from "./postcopy/pages-port.ts";
import type { Asker, CellEnd, CellRunnerPort, CellVitals } from "./runner-port.ts";
import type { CodeVersion } from "./upgrade/upgrade-words.ts";

/** What the gate tells the node. */
export interface CellGateEvents {
  /** A reply stands in the agent's link table and should go to the asker's node. */
  replyReady(agent: AgentId, asker: Asker, payload: Uint8Array): void;
  /** A cell ended by itself and is gone from this node. Whoever ends its row may tell whether it did: then nobody goes on with the agent. */
  cellEnded(agent: AgentId, epoch: Epoch, end: CellEnd): Promise<boolean> | undefined;
}

/** What a gate needs. */
export interface CellGateOptions {
  readonly runner: CellRunnerPort;
  readonly clock: Clock;
  readonly events: CellGateEvents;
  /** What else moves with cells. */
  readonly baggage?: CellBaggage;
  /** Addresses on this node that are no cells. Undefined for one that is not known there. */
  readonly mailboxes?: { deliver(message: LinkMessage): LinkVerdict | undefined };
  /** Cells of the kind `domain` (CG7). Default: they are refused. */
  readonly kept?: KeptCells;
  readonly logger?: Logger;
  /** Moves by post-copy. Default: they are refused. */
  readonly pages?: PagesRunnerPort;
}

/** Numbers about a cell. */
export interface CellReport extends CellVitals {
  readonly state: CellState;
  readonly epoch: Epoch;
  /** What its manifest asks for. */
  readonly grants: readonly string[];
  /** Messages accepted on this node. */
  readonly accepted: number;
  /** Repeated messages refused on this node. */
  readonly refusedDuplicates: number;
  /** What its code says it is; known from its first upgrade here on. */
  readonly code: CodeVersion | undefined;
}
