/**
 * What an upgrade asks of the runner of a cell, beside runner-port.ts.
 *
 * UP1. Until `commitUpgrade` resolves the cell is what it was, to the byte; afterwards it is the new code with the state that was handed over.
 * UP2. After `commitUpgrade` the cell stands still with its mail: the gate lets it go on.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentManifest } from "../agent-manifest.ts";
import type { FrozenMail, MailItem } from "../runner-port.ts";
import type { CodeVersion } from "./upgrade-words.ts";

/** How far the new code of a cell is. */
export type PreparedUpgrade =
  /** The old code is in the middle of a message. */
  | { readonly kind: "busy" }
  /** The new code has taken over the state and waits. */
  | {
      readonly kind: "ready";
      readonly from: CodeVersion;
      readonly to: CodeVersion;
      readonly stateBytes: number;
    };

/** An upgrade of a cell whose messages are kept. */
export interface KeptUpgrade {
  readonly from: CodeVersion;
  readonly to: CodeVersion;
  /** Bytes of the record that has the new state and the messages that waited. */
  readonly stateBytes: number;
  /** From when it began no message until the record was flushed, in milliseconds. */
  readonly pauseMs: number;
}

/** Exchanges the code of cells whose messages are kept (docs/spec/upgrade.md, "Durable agents"). */
export interface KeptUpgradePort {
  /**
   * Give a cell that runs another manifest at its next checkpoint; resolves when it has it on the disk. It is not stopped: what comes meanwhile is kept.
   * @throws {NotUpgradableError}, {UpgradeRefusedError}, {UpgradeBusyError}, {NotHereError}, and what refuses its bundle; it is then as it was
   */
  upgradeKept(agent: AgentId, manifest: AgentManifest, timeoutMs: number): Promise<KeptUpgrade>;
}

/** Exchanges the code of cells. */
export interface UpgradeRunnerPort {
  /** As `freeze`, but only where the guest waits for a message. */
  freezeAtMessage(agent: AgentId, timeoutMs: number): Promise<FrozenMail>;
  /**
   * Have the old code of a cell that stands still hand over and the new code take over, both apart from the cell (UP1).
   * @throws {NotUpgradableError}, {UpgradeRefusedError}, {UpgradeBusyError}, and the engine's refusals of the program
   */
  prepareUpgrade(agent: AgentId, manifest: AgentManifest): Promise<PreparedUpgrade>;
  /** Put the prepared code in the place of the old; `first` is in front of its mail. @throws {NotHereError} when none is prepared */
  commitUpgrade(agent: AgentId, first: MailItem): Promise<void>;
  /** Forget what was prepared. Idempotent. */
  abandonUpgrade(agent: AgentId): Promise<void>;
}
