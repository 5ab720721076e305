/**
 * Cells whose messages are kept on a disk before they are acknowledged, and that outlive their process. What the gate asks of their runner besides
 * {@link CellRunnerPort}.
 *
 * KC1. A message that `accept` resolved for is kept, once and in order; so is the link table that follows from it.
 * KC2. `links` is the table of what is kept and nothing else: whoever takes a cell up begins with it.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { LinkId } from "@glia-os/mesh-core";
import type { AgentManifest } from "./agent-manifest.ts";
import type { MailItem } from "./runner-port.ts";

/** A message to be kept. */
export interface KeptMail extends MailItem {
  /** The sender has the replies to all asks below this number. */
  readonly floor: number;
  /** Links that were closed since the message before. */
  readonly closed: readonly LinkId[];
}

/** A cell that this node has on its disk. */
export interface StoredCell {
  readonly agent: AgentId;
  /** Its manifest, encoded. */
  readonly meta: Uint8Array;
}

/** Told of a cell that is on the disk and cannot be read now, and why. */
export type UnreadCell = (agent: AgentId, error: unknown) => void;

/** The kept cells of a node. */
export interface KeptCells {
  /** Resolves when the message is kept (KC1). Rejects when it is not: its sender tries again. */
  accept(agent: AgentId, item: KeptMail): Promise<void>;
  /** The link table of a cell, serialised (KC2). */
  links(agent: AgentId): Promise<Uint8Array>;
  /** Take up a cell that is on the disk, and run it. */
  recover(agent: AgentId, manifest: AgentManifest): Promise<void>;
  /** Every cell on the disk that does not run here. One that cannot be read now is told to `unread`; without it the call rejects. */
  stored(unread?: UnreadCell): Promise<readonly StoredCell[]>;
  /** Remove a cell from the disk, unless it runs here. Idempotent. */
  forget(agent: AgentId): Promise<void>;
}
