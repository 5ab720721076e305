/**
 * Durable agents after a restart of their node: what the disk has, and what coordination says of it (docs/spec/domain-cell.md).
 *
 * DR1. An agent goes on here only under an epoch that this life of the node took by compare-and-swap: what a former life had under way is fenced.
 * DR2. A journal is removed only when coordination says that the agent ended, or that it is another node's and no move to this one can commit any more.
 * DR3. No answer decides nothing: it is asked again. So is what lost a compare-and-swap, and a disk that cannot be read.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Coordination, Logger, Random, Timers } from "@glia-os/abi/ports";
import type { CellGate, KeptCells, StoredCell } from "@glia-os/cells";
import { manifestOf } from "@glia-os/cells/domain";
import { requestId } from "../request-id.ts";

/** How long a journal is kept that another node's agent has here: twice what a move may take to commit. */
export const FOREIGN_MS = 60_000;
const ASK_AGAIN_MS = 1000;

/** What a recovery is made of. */
export interface DomainRecoveryParts {
  readonly self: NodeId;
  readonly gate: CellGate;
  readonly kept: Pick<KeptCells, "stored" | "forget">;
  readonly coordination: Coordination;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly sessionId: () => string;
}

/** The recovery of one node, once per start. */
export class DomainRecovery {
  readonly #parts: DomainRecoveryParts;
  readonly #startedMs: number;
  readonly #seen = new Set<AgentId>();
  #stopped = false;

  constructor(parts: DomainRecoveryParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
  }

  /** Begin; agents come back one after the other as coordination answers. */
  async start(): Promise<void> {
    if (!(await this.#list())) void this.#listOn();
  }

  /** DR3, for the disk. */
  async #listOn(): Promise<void> {
    do await this.#pause();
    while (!this.#stopped && !(await this.#list()));
  }

  /** Settle what can be read and is not being settled. Whether that is all there is. */
  async #list(): Promise<boolean> {
    const { logger, kept } = this.#parts;
    let all = true;
    try {
      const cells = await kept.stored((agent, error) => {
        all = false;
        logger.log("error", "durable agent not read", { agent, error: String(error) });
      });
      for (const cell of cells) {
        if (this.#seen.has(cell.agent)) continue;
        this.#seen.add(cell.agent);
        void this.#settle(cell);
      }
      return all;
    } catch (error) {
      logger.log("error", "durable agents not listed", { error: String(error) });
      return false;
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #settle(cell: StoredCell): Promise<void> {
    const { agent } = cell;
    while (!this.#stopped) {
      try {
        if (await this.#decided(cell)) return;
      } catch (error) {
        this.#parts.logger.log("warn", "durable agent waits", {
          agent,
          code: errorCodeOf(error),
          error: String(error),
        });
      }
      await this.#pause();
    }
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.timers.schedule(ASK_AGAIN_MS, resolve));
  }

  /** Whether nothing is left to decide about a cell. */
  async #decided(cell: StoredCell): Promise<boolean> {
    const { agent } = cell;
    const { self, gate, kept, coordination } = this.#parts;
    const stands = gate.stands(agent);
    if (stands !== undefined) return true; // It arrived again meanwhile.
    const row = await coordination.getAgent(agent);
    if (row === undefined || row.status === "terminated") {
      await kept.forget(agent);
      return true;
    }
    if (row.owner !== self) return await this.#isForeign(agent);
    // One that failed or is in a file stays until it is terminated.
    if (row.status !== "running" && row.status !== "suspended") return true;
    return await this.#takeUp(cell, row);
  }

  /** DR2. */
  async #isForeign(agent: AgentId): Promise<boolean> {
    const { clock, kept } = this.#parts;
    if (clock.monotonicMs() - this.#startedMs < FOREIGN_MS) return false;
    await kept.forget(agent);
    return true;
  }

  /** DR1. False when the row changed meanwhile: what it says now decides. */
  async #takeUp(cell: StoredCell, { agent, epoch, status }: AgentRow): Promise<boolean> {
    const { self, gate, coordination, random, sessionId, logger } = this.#parts;
    const change = { owner: self, sessionId: sessionId(), status } as const;
    const outcome = await coordination.compareAndSwap(agent, epoch, change, requestId(random));
    if (outcome.kind !== "committed") {
      logger.log("info", "durable agent waits: its row changed", { agent, epoch });
      return false;
    }
    await gate.recover(agent, outcome.row.epoch, manifestOf(cell), status === "suspended");
    logger.log("info", "durable agent goes on", { agent, epoch: outcome.row.epoch });
    return true;
  }
}
