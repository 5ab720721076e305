/** What the threads of a node tell each other of durable cells that talk to others, over the port of the cells. */
import type { AgentId } from "@glia-os/abi/ids";
import type { CellEffect, CellNote } from "@glia-os/cells/domain";

/** To the mesh thread: what a cell says. */
export interface DesksPort {
  deskBegins(agent: AgentId, effects: readonly CellEffect[]): void;
  deskPosts(agent: AgentId, effects: readonly CellEffect[]): void;
}

/** To the thread of the cells. */
export interface NotesPort {
  settled(agent: AgentId, link: string, upTo: number): void;
  noted(agent: AgentId, note: CellNote): void;
}
