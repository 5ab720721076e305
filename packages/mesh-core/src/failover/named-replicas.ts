/**
 * Which replicas the row of an agent names, as its owner knows it (docs/spec/replica.md, RP2).
 *
 * NR1. `may` has every node that the row names or may name: one joins before it is asked for, and leaves when a committed row lacks it.
 * NR2. `sure` has what the last committed row names.
 */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { OwnerRow, RowOutcome } from "./owner-row.ts";

/** One agent's. */
export class NamedReplicas {
  readonly #agent: AgentId;
  readonly #row: OwnerRow;
  #may: ReadonlySet<NodeId> = new Set();
  #sure: readonly NodeId[] = [];
  #since: Epoch | undefined;

  constructor(agent: AgentId, row: OwnerRow) {
    this.#agent = agent;
    this.#row = row;
  }

  /** NR1. */
  get may(): ReadonlySet<NodeId> {
    return this.#may;
  }

  /** NR2. */
  get sure(): readonly NodeId[] {
    return this.#sure;
  }

  /** The epoch of the row when it was read first; undefined before. */
  get since(): Epoch | undefined {
    return this.#since;
  }

  /** Whether the row names exactly these. */
  are(nodes: readonly NodeId[]): boolean {
    const same = nodes.length === this.#sure.length && nodes.every((node) => this.#sure.includes(node));
    return same && this.#may.size === nodes.length;
  }

  /** Learn what it names. */
  async read(): Promise<RowOutcome> {
    const outcome = await this.#row.read(this.#agent);
    if (outcome.kind !== "ours") return outcome;
    this.#since = outcome.row.epoch;
    this.#take(outcome.row.replicas ?? []);
    return outcome;
  }

  /** Name these and no others. */
  async write(nodes: readonly NodeId[]): Promise<RowOutcome> {
    this.#may = new Set([...this.#may, ...nodes]);
    const outcome = await this.#row.write(this.#agent, nodes);
    if (outcome.kind === "ours") this.#take(nodes);
    return outcome;
  }

  #take(nodes: readonly NodeId[]): void {
    this.#sure = nodes;
    this.#may = new Set(nodes);
  }
}
