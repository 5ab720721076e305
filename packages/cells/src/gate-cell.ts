/** One cell on its gate's side. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import { LinkTable, type Moved } from "@glia-os/mesh-core";
import type { AgentManifest } from "./agent-manifest.ts";
import type { CellState } from "./cell-state.ts";
import type { EarlyMail } from "./early-mail.ts";
import { IllegalTransitionError } from "./errors.ts";
import type { KeptMailbox } from "./kept-mailbox.ts";
import type { MailItem } from "./runner-port.ts";
import type { CodeVersion } from "./upgrade/upgrade-words.ts";

/** The message a cell is given by whoever starts it: on no link, from no node. */
export const FIRST: Omit<MailItem, "payload"> = {
  link: "0".repeat(32),
  seq: 1,
  ask: false,
  from: "0".repeat(64) as NodeId,
};

/** What a gate knows of a cell. */
export interface GateCell {
  readonly agent: AgentId;
  manifest: AgentManifest;
  meta: Uint8Array;
  /** What its code says it is, once it was upgraded here; and the manifest it had before that, encoded. */
  code: CodeVersion | undefined;
  before: Uint8Array | undefined;
  /** Whether its code is being exchanged: it is not moved or paused meanwhile. */
  upgrading: boolean;
  epoch: Epoch;
  state: CellState;
  /** Whether it is to stand still whenever it is not on its way (CG6). */
  suspended: boolean;
  /** A pause under way. */
  pausing: Promise<void> | undefined;
  /** Whether it is being read out while it runs. */
  readAhead: boolean;
  /** Set while it is frozen, and its senders are sent to where it is about to run. */
  leaving: Moved | undefined;
  /** What came before it runs here, from the moment its link table did. */
  early: EarlyMail | undefined;
  links: LinkTable;
  /** Of a cell whose messages are kept on a disk. */
  readonly kept: KeptMailbox | undefined;
  waitingMessages: number;
  waitingBytes: number;
  accepted: number;
  refusedDuplicates: number;
}

/** A cell that has not run yet. */
export function newCell(
  agent: AgentId,
  epoch: Epoch,
  manifest: AgentManifest,
  meta: Uint8Array,
  kept: KeptMailbox | undefined,
): GateCell {
  return {
    agent,
    manifest,
    meta,
    code: undefined,
    before: undefined,
    upgrading: false,
    epoch,
    state: "created",
    suspended: false,
    pausing: undefined,
    readAhead: false,
    leaving: undefined,
    early: undefined,
    links: new LinkTable(),
    kept,
    waitingMessages: 0,
    waitingBytes: 0,
    accepted: 0,
    refusedDuplicates: 0,
  };
}

/** What changes its code does nothing else meanwhile. @throws {IllegalTransitionError} */
export function refuseUpgrading({ agent, upgrading }: GateCell, to: CellState): void {
  if (upgrading) throw new IllegalTransitionError(agent, "upgrading", to);
}
