/**
 * Emptying a node of its agents.
 *
 * DR1. From its beginning until `undrain` the node takes no new agents, also after a restart if the drain was to be kept.
 * DR2. Every agent is tried; what cannot move is named with the reason, and goes on here.
 * DR4. It is over when agents that left by post-copy have their pages, too, or after `PAGES_MS` (serve-first.ts).
 * DR3. At most {@link AT_A_TIME} agents are on their way at a time.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Logger, Meter } from "@glia-os/abi/ports";
import type { CellGate } from "@glia-os/cells";
import { writeFlushed } from "../durable-file.ts";
import type { AgentMover } from "./agent-mover.ts";
import type { DrainState, DrainView, StuckAgent } from "./move-api.ts";

/** Agents on their way at a time (DR3). */
export const AT_A_TIME = 2;
/** How often agents are looked for that came while others went. */
const PASSES = 5;
const NEWEST = 32;
const STUCK_SHOWN = 100;
const WHY = "it is drained";

/** What it works with. */
export interface DrainParts {
  readonly self: NodeId;
  readonly gate: CellGate;
  readonly mover: AgentMover;
  /** Resolves when no agent that left needs this node any more (docs/spec/postcopy.md). Never rejects. */
  readonly settled: () => Promise<unknown>;
  readonly dataDir: string;
  readonly meter: Meter;
  readonly logger: Logger;
}

/** The drain of one node. */
export class Drain {
  readonly #parts: DrainParts;
  readonly #file: string;
  #state: DrainState = "open";
  #moved = 0;
  #newest: DrainView["newest"] = [];
  #stuck = new Map<string, StuckAgent>();
  #run = 0;

  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#file = join(parts.dataDir, "drained");
    parts.meter.count("glia_drain_moves_total", 0);
    this.#enter(existsSync(this.#file) ? "drained" : "open");
  }

  /** Where it stands. */
  get state(): DrainState {
    return this.#state;
  }

  /** Begin, or go on; comes back at once. */
  begin(keep: boolean): DrainView {
    if (keep) writeFlushed(this.#file, "drained\n");
    if (this.#state === "draining") return this.view();
    this.#moved = 0;
    this.#newest = [];
    this.#stuck.clear();
    this.#enter("draining");
    const run = ++this.#run;
    this.#empty(run).catch((error: unknown) => {
      this.#parts.logger.log("warn", "a drain was cut off", { why: String(error) });
      if (this.#run === run) this.#enter("partly");
    });
    return this.view();
  }

  /** Take agents again. */
  end(): DrainView {
    this.#run++;
    rmSync(this.#file, { force: true });
    this.#enter("open");
    return this.view();
  }

  /** How far it is. */
  view(): DrainView {
    const stuck = [...this.#stuck.values()].slice(0, STUCK_SHOWN);
    const { self: node, gate } = this.#parts;
    return { node, state: this.#state, moved: this.#moved, left: gate.size, newest: this.#newest, stuck };
  }

  async #empty(run: number): Promise<void> {
    for (let pass = 0; pass < PASSES; pass++) {
      const rows = (await this.#parts.mover.here()).filter(({ agent }) => !this.#stuck.has(agent));
      if (rows.length === 0) break;
      const waiting = [...rows];
      const lane = async (): Promise<void> => {
        for (let row = waiting.shift(); row !== undefined && this.#run === run; row = waiting.shift())
          await this.#move(row, run);
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    }
    await this.#parts.settled();
    if (this.#run === run) this.#enter(this.#parts.gate.size === 0 ? "drained" : "partly");
  }

  async #move(row: AgentRow, run: number): Promise<void> {
    const { agent, name } = row;
    const outcome = await this.#parts.mover.away(row);
    if (this.#run !== run) return;
    if (outcome.kind === "stuck") this.#stuck.set(agent, { agent, name, why: outcome.why });
    if (outcome.kind !== "moved") return;
    this.#moved++;
    this.#parts.meter.count("glia_drain_moves_total");
    this.#newest = [...this.#newest, { agent, name, to: outcome.to }].slice(-NEWEST);
  }

  #enter(state: DrainState): void {
    this.#state = state;
    this.#parts.gate.refusesNew = state === "open" ? undefined : WHY;
    this.#parts.meter.gauge("glia_drained", state === "open" ? 0 : 1);
  }
}
