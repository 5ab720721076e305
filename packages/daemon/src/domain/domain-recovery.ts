/**
 * Durable agents after a restart of their node: what the disk has, and what coordination says of it (docs/spec/domain-cell.md).
 *
 * DX1. An agent goes on here only under an epoch that this life of the node took by compare-and-swap: what a former life had under way is fenced.
 * DX2. A journal is removed only when coordination says that the agent ended, or that it is another node's and no move to this one can commit any more.
 * DX3. No answer decides nothing: it is asked again. So is what lost a compare-and-swap, and a disk that cannot be read.
 * DX4. An agent that cannot be taken up takes no further epoch: it is tried again under the one it has, after pauses that double up to
 *      {@link AGAIN_MAX_MS}, and the same reason is told once. One whose manifest cannot be read is told once and left as it is, row and journal,
 *      for a build of this software that reads it, or until it is terminated.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Coordination, Logger, Random, Timers } from "@glia-os/abi/ports";
import type { AgentManifest, CellGate, KeptCells, StoredCell } from "@glia-os/cells";
import { manifestOf } from "@glia-os/cells/domain";
import { requestId } from "../request-id.ts";

/** How long a journal is kept that another node's agent has here: twice what a move may take to commit. */
export const FOREIGN_MS = 60_000;
const ASK_AGAIN_MS = 1000;
/** Longest pause before an agent that could not be taken up is tried again. */
export const AGAIN_MAX_MS = 64_000;

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
  /** Epochs this life of the node took for agents that it could not take up yet (DX4). */
  readonly #taken = new Map<AgentId, Epoch>();
  #stopped = false;

  constructor(parts: DomainRecoveryParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
  }

  /** Begin; agents come back one after the other as coordination answers. */
  async start(): Promise<void> {
    if (!(await this.#list())) void this.#listOn();
  }

  /** DX3, for the disk. */
  async #listOn(): Promise<void> {
    do await this.#pause(ASK_AGAIN_MS);
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
    let told: string | undefined;
    for (let pauseMs = ASK_AGAIN_MS; !this.#stopped; ) {
      try {
        if (await this.#decided(cell)) return;
      } catch (error) {
        const why = String(error);
        if (why !== told)
          this.#parts.logger.log("warn", "durable agent waits", {
            agent,
            code: errorCodeOf(error),
            error: why,
          });
        told = why;
      }
      await this.#pause(pauseMs);
      pauseMs = this.#taken.has(agent) ? Math.min(2 * pauseMs, AGAIN_MAX_MS) : ASK_AGAIN_MS;
    }
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.timers.schedule(ms, resolve));
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

  /** DX2. */
  async #isForeign(agent: AgentId): Promise<boolean> {
    const { clock, kept } = this.#parts;
    if (clock.monotonicMs() - this.#startedMs < FOREIGN_MS) return false;
    await kept.forget(agent);
    return true;
  }

  /** DX1. False when the row changed meanwhile: what it says now decides. */
  async #takeUp(cell: StoredCell, row: AgentRow): Promise<boolean> {
    const { gate, logger } = this.#parts;
    const { agent, status } = row;
    const manifest = this.#manifestOf(cell);
    if (manifest === undefined) return true;
    const epoch = this.#taken.get(agent) === row.epoch ? row.epoch : await this.#claim(row);
    if (epoch === undefined) return false;
    this.#taken.set(agent, epoch);
    await gate.recover(agent, epoch, manifest, status === "suspended");
    this.#taken.delete(agent);
    logger.log("info", "durable agent goes on", { agent, epoch });
    return true;
  }

  /** The next epoch of an agent; undefined when its row changed meanwhile. */
  async #claim({ agent, epoch, status }: AgentRow): Promise<Epoch | undefined> {
    const { self, coordination, random, sessionId, logger } = this.#parts;
    const change = { owner: self, sessionId: sessionId(), status } as const;
    const outcome = await coordination.compareAndSwap(agent, epoch, change, requestId(random));
    if (outcome.kind === "committed") return outcome.row.epoch;
    logger.log("info", "durable agent waits: its row changed", { agent, epoch });
    return undefined;
  }

  /** Undefined for one that cannot be read, which no asking again changes (DX4). */
  #manifestOf(cell: StoredCell): AgentManifest | undefined {
    try {
      return manifestOf(cell);
    } catch (error) {
      const { agent } = cell;
      this.#parts.logger.log("error", "durable agent left as it is: its manifest cannot be read", {
        agent,
        error: String(error),
      });
      return undefined;
    }
  }
}
