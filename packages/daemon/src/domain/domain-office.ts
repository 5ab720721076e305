/**
 * The desks of a node's durable cells that talk to others (domain-desk.ts): what `AgentsOffice` is for other agents.
 *
 * DO1. A desk is there from the first word of its cell until the cell is gone. While the cell is suspended what it sent still goes out.
 * DO2. Nothing of it moves with the cell: what is on its way follows from the journal.
 * DO3. What a cell sent that failed or was terminated still goes out, for a minute.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { Timers } from "@glia-os/abi/ports";
import { type CellBaggage, type CellGate, type CellLeft, decodeManifest } from "@glia-os/cells";
import type { CellChild, CellDesks, CellEffect, CellNote } from "@glia-os/cells/domain";
import type { AgentsOffice } from "../agents/agents-office.ts";
import { DomainDesk, type Found } from "./domain-desk.ts";

const LEAVE_MS = 60_000;

/** What it works with. */
export interface DomainOfficeParts {
  readonly office: AgentsOffice;
  readonly timers: Timers;
  readonly gate: () => Pick<CellGate, "describe" | "cellOf">;
  /** To the thread of the cells. */
  settled(agent: AgentId, link: string, upTo: number): void;
  noted(agent: AgentId, note: CellNote): void;
}

/** Those of one node. */
export class DomainOffice implements CellDesks, CellBaggage {
  readonly #parts: DomainOfficeParts;
  readonly #desks = new Map<AgentId, DomainDesk>();
  readonly #left = new Set<DomainDesk>();

  constructor(parts: DomainOfficeParts) {
    this.#parts = parts;
  }

  /** Whether an agent of this node has its desk here. */
  keeps(agent: AgentId): boolean {
    return this.#desks.has(agent);
  }

  /** Cells that hear a topic. */
  subscribers(topic: string): readonly AgentId[] {
    return [...this.#desks].filter(([, { topics }]) => topics.has(topic)).map(([agent]) => agent);
  }

  /** The node stops: what is on its way follows from the journals. */
  stop(): void {
    for (const desk of [...this.#desks.values(), ...this.#left]) desk.stop();
    this.#desks.clear();
    this.#left.clear();
  }

  // What cells say (CellDesks)

  begin(agent: AgentId, effects: readonly CellEffect[]): void {
    const known = this.#desks.get(agent);
    const desk = known ?? this.#newDesk(agent);
    this.#desks.set(agent, desk);
    desk.begin(effects);
  }

  post(agent: AgentId, effects: readonly CellEffect[]): void {
    this.#desks.get(agent)?.post(effects);
  }

  // What moves with them (CellBaggage)

  pack(agent: AgentId): undefined {
    const desk = this.#desks.get(agent);
    this.#desks.delete(agent);
    if (desk !== undefined && desk.topics.size > 0) this.#parts.office.remember(agent, desk.topics);
    desk?.stop();
  }

  stays(): void {}

  stage(): void {}

  runs(): void {}

  gone(agent: AgentId, left: CellLeft): void {
    const desk = this.#desks.get(agent);
    this.#desks.delete(agent);
    if (desk === undefined) return;
    if (left.kind === "moved" || left.kind === "discarded") {
      desk.stop();
      return;
    }
    if (left.kind !== "finished") this.#parts.office.tellFamily(agent, desk.family, left);
    this.#left.add(desk);
    this.#parts.timers.schedule(LEAVE_MS, () => {
      this.#left.delete(desk);
      desk.close();
    });
  }

  #newDesk(agent: AgentId): DomainDesk {
    const { office, timers, settled, noted } = this.#parts;
    const desk: DomainDesk = new DomainDesk({
      agent,
      timers,
      family: office.familyOf(agent),
      open: (to, events, carried) => office.openLink(to, events, carried),
      findName: (name) => office.findName(name),
      subscribers: (topic) => office.hearers(topic),
      spawn: (child, key) => this.#spawn(agent, child, key),
      settled: (link, upTo) => settled(agent, link, upTo),
      noted: (note) => noted(agent, note),
    });
    return desk;
  }

  /** Undefined while the parent is not there to be described: it just begins, or it may be of other code than its gate knows. */
  async #spawn(parent: AgentId, child: CellChild, key: string): Promise<Found | undefined> {
    const { office, gate } = this.#parts;
    const described = gate().describe(parent);
    if (described === undefined || gate().cellOf(parent).upgrading) return undefined;
    const manifest = decodeManifest(described.meta);
    const { definition, name, on, input, detached } = child;
    const id = await office.spawnAs({ ...manifest, name }, on, {
      definition,
      key,
      ...(input === undefined ? {} : { input }),
      ...(detached === true ? {} : { parent: { id: parent, name: manifest.name } }),
    });
    return { id, name };
  }
}

/** The baggage of each cell with whoever keeps its desk. */
export function baggageWith(domains: DomainOffice, others: CellBaggage): CellBaggage {
  const keeper = (agent: AgentId): CellBaggage => (domains.keeps(agent) ? domains : others);
  return {
    pack: (agent) => keeper(agent).pack(agent),
    stays: (agent) => keeper(agent).stays(agent),
    stage: (agent, bytes) => keeper(agent).stage(agent, bytes),
    runs: (agent) => keeper(agent).runs(agent),
    gone: (agent, left) => keeper(agent).gone(agent, left),
  };
}
