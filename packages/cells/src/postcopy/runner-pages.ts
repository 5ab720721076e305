/**
 * The pages that a runner reads for destinations, under the ids of their moves.
 *
 * RS1. A guest whose cell was dropped after its hand-over stays here until its pages are released, and runs no more.
 * RS2. An agent moves so in one move at a time; at most {@link SERVED_MAX} are looked after at once.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { EngineInstance, EngineLimits } from "@glia-os/abi/ports";
import type { PagesAnswer } from "@glia-os/mesh-core";
import type { AgentManifest } from "../agent-manifest.ts";
import { ImmovableCapabilityError, NotHereError } from "../errors.ts";
import type { RunnerCell } from "../runner-cell.ts";
import type { CellRunnerOptions } from "../runner-options.ts";
import type { CellEnd } from "../runner-port.ts";
import { LostOnTheWayError, NoPostCopyError, PagesReleasedError } from "./errors.ts";
import type { AwayGuest, ReadingPages } from "./pages-port.ts";

/** Moves whose pages one node serves at once. */
export const SERVED_MAX = 16;

interface Served {
  readonly reading: ReadingPages;
  /** Set when the cell is not here any more. */
  left: EngineInstance | undefined;
}

/** What it needs of its runner. */
export interface RunnerOfPages {
  /** @throws {NotHereError} */
  here(agent: AgentId): RunnerCell;
  add(agent: AgentId, manifest: AgentManifest): Promise<RunnerCell>;
  limitsOf(cell: RunnerCell): Partial<EngineLimits>;
  isHere(cell: RunnerCell): boolean;
  forget(cell: RunnerCell): void;
  end(cell: RunnerCell, end: CellEnd): void;
}

/** Those of one runner. */
export class RunnerPages {
  readonly #options: CellRunnerOptions["pages"];
  readonly #runner: RunnerOfPages;
  readonly #served = new Map<string, Served>();

  constructor(options: CellRunnerOptions["pages"], runner: RunnerOfPages) {
    this.#options = options;
    this.#runner = runner;
  }

  // The source

  async beginPages(agent: AgentId, move: string, rounds: boolean): Promise<Uint8Array | undefined> {
    const cell = this.#runner.here(agent);
    await cell.away?.whole;
    if (this.#options === undefined) throw new NoPostCopyError(agent, "this node does not move agents so");
    const { immovable } = cell.held;
    if (immovable.length > 0) throw new ImmovableCapabilityError(agent, immovable);
    if (this.#served.size >= SERVED_MAX)
      throw new NoPostCopyError(agent, `this node serves the pages of ${SERVED_MAX} agents, its limit`);
    const reading = await this.#options.codec.read(agent, cell.program, cell.instance, rounds);
    if (reading === undefined) return undefined;
    cell.ahead = reading;
    this.#served.set(move, { reading, left: undefined });
    return reading.next();
  }

  async servePages(move: string, said: Uint8Array): Promise<PagesAnswer> {
    const served = this.#served.get(move);
    if (served === undefined) throw new PagesReleasedError(move);
    return served.reading.serve(said);
  }

  async releasePages(move: string): Promise<void> {
    this.#served.get(move)?.left?.dispose();
    this.#served.delete(move);
  }

  /** A cell goes from here: whether its guest stays for its pages (RS1). */
  keeps(cell: RunnerCell): boolean {
    const served = [...this.#served.values()].find(({ reading }) => reading === cell.ahead);
    if (served === undefined) return false;
    served.left = cell.instance;
    return true;
  }

  // The destination

  /** What comes of a cell that is expected is for a post-copy. */
  async stagePages(cell: RunnerCell): Promise<void> {
    const { agent, manifest, program, notes } = cell;
    const options = this.#options;
    if (options === undefined) throw new NoPostCopyError(agent, "this node takes no agents so");
    try {
      const said = (bytes: Uint8Array): void => options.gate.said(agent, bytes);
      const mayReply = (): boolean => cell.asker !== undefined;
      const [limits, host] = [this.#runner.limitsOf(cell), cell.host()];
      const arriving = await options.codec.arrive({
        agent,
        manifest,
        program,
        limits,
        host,
        mayReply,
        noted: (some) => void notes.push(...some),
        said,
      });
      if (this.#runner.isHere(cell)) cell.arriving = arriving;
      else arriving.dispose();
    } catch (error) {
      this.#runner.forget(cell);
      throw error;
    }
  }

  /** All but its pages is there: it runs in a thread of its own until they are. */
  arrived(cell: RunnerCell, away: AwayGuest): void {
    const { agent } = cell;
    cell.away = away;
    away.whole.then(
      (instance) => {
        if (!this.#runner.isHere(cell)) return instance.dispose();
        cell.instance = instance;
        cell.away = undefined;
        this.#options?.gate.whole(agent);
      },
      (error: unknown) => {
        if (!this.#runner.isHere(cell)) return;
        const why = error instanceof Error ? error.message : String(error);
        const { code, message } = new LostOnTheWayError(agent, why);
        this.#runner.end(cell, { kind: "failed", message: `${message} (${code})`, lost: true });
      },
    );
  }

  async takePages(agent: AgentId, bytes: Uint8Array): Promise<boolean> {
    const { away } = this.#runner.here(agent);
    if (away === undefined) throw new NotHereError(agent);
    return away.take(bytes);
  }

  losePages(cell: RunnerCell | undefined, why: string): void {
    cell?.away?.lose(why);
  }
}
