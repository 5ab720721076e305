/** What a runner of durable cells is made of. */
import type { AgentId } from "@glia-os/abi/ids";
import type { CapabilityKind, Clock, Digests, Journal, Logger, Random, Timers } from "@glia-os/abi/ports";
import type { AmbientGuard, DurableProgram, DurableService } from "@glia-os/durable";
import type { StoredCell, UnreadCell } from "../kept-cells.ts";
import type { CellGatePort } from "../runner-port.ts";
import type { CellDesks } from "./cell-talk.ts";

/** The grant of cells that talk with other agents. */
export const AGENTS_GRANT = "service/agents";

/** Loads the programs of bundles, which are trusted: they run in this process without a sandbox. */
export interface ProgramLoader {
  /** The program that a bundle exports. @throws {ProgramsRefusedError} for one that is not allowed, {BadBundleError} */
  load(bundle: Uint8Array, hash: string): Promise<DurableProgram<unknown>>;
}

/** A cell on a disk, and what it may have become: its journal says (docs/spec/upgrade.md). */
export interface CellOnDisk extends StoredCell {
  /** The manifest that was put beside its own. */
  readonly next?: Uint8Array;
}

/** The cells that are on the disk of a node, beside their journals. */
export interface CellStore {
  /** Keep a cell; resolves when it is flushed. */
  put(cell: StoredCell): Promise<void>;
  list(unread?: UnreadCell): Promise<readonly CellOnDisk[]>;
  /** With what stands beside it. Idempotent. */
  remove(agent: AgentId): Promise<void>;
  /** Keep another manifest beside that of a cell, in the place of one that stands there; resolves when it is flushed. */
  putNext(cell: StoredCell): Promise<void>;
  /** Put what stands beside a cell in its place; resolves when that is flushed. Idempotent. */
  takeNext(agent: AgentId): Promise<void>;
  /** Remove what stands beside a cell. Idempotent. */
  dropNext(agent: AgentId): Promise<void>;
}

/** A service of the node that cells of it may use, by the grant `service/NAME`. */
export interface DomainService extends DurableService {
  readonly name: string;
  /** `immovable`: an agent that uses it cannot move. Default `rebind-by-name`. */
  readonly capability?: CapabilityKind;
}

/** What a runner is made of. */
export interface DomainRunnerOptions {
  /** For the domains of these cells alone. */
  readonly journal: Journal;
  readonly store: CellStore;
  readonly loader: ProgramLoader;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly digests: Digests;
  readonly random: Random;
  readonly logger: Logger;
  readonly gate: CellGatePort;
  readonly services?: readonly DomainService[];
  /** Where what cells send leaves. Without it no cell talks to others, and the grant is refused. */
  readonly desks?: CellDesks;
  /** Refuses ambient time, randomness and network while tasks run (strict mode). */
  readonly guard?: AmbientGuard;
  /** Bytes of a journal from which on a checkpoint removes what is before it. Default: that of `Domains`. */
  readonly historyBytes?: number;
}
