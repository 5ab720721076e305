/**
 * The desks of the agents of a node that have replicas: what `AgentsOffice` is for the others, with an account in their logs
 * (docs/spec/replica.md, "Outputs").
 *
 * RO1. An agent with a replica has its desk here from the first thing it does on; one that arrives goes on with what it brought.
 * RO2. One that stands still to move is packed and does nothing until it runs again, here or elsewhere, and what it did by then is held.
 * RO3. One that another node has by now, or whose end is not held, ends here without a word: its links are that node's.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { Random } from "@glia-os/abi/ports";
import type { CellBaggage, CellLeft, CellOutputs, RecordedCell, ResumedOutputs } from "@glia-os/cells";
import type { Family } from "../agents/desk.ts";
import { decodeActs } from "./act-codec.ts";
import { KEY_BYTES, Outbox } from "./outbox.ts";
import { decodeOutbox, encodeOutbox, isOutbox } from "./outbox-codec.ts";
import { readEvent } from "./outbox-event.ts";
import { RecordedDesk, type RecordedWork } from "./recorded-desk.ts";

/** What the office of all agents does for these. */
export interface RecordedOfficeParts extends RecordedWork {
  readonly random: Random;
  /** So much of what an agent asked for is not done. */
  held(agent: AgentId, weight: number): void;
  /** Whose child a new agent is; asked once. */
  familyOf(agent: AgentId): Family;
  /** An agent ended without being able to say so. */
  tellFamily(agent: AgentId, family: Family, left: CellLeft): void;
  /** An agent leaves that hears these topics. */
  remember(agent: AgentId, topics: ReadonlySet<string>): void;
}

/** Those of one node. */
export class RecordedOffice implements CellOutputs, CellBaggage {
  readonly #parts: RecordedOfficeParts;
  readonly #cells = new Map<AgentId, RecordedCell>();
  /** Cells that hold no capabilities and brought nothing by now: they have no desk here. */
  readonly #silent = new Map<AgentId, RecordedCell>();
  readonly #desks = new Map<AgentId, RecordedDesk>();
  /** Of those that stand still to move, or arrived and do not run yet. */
  readonly #still = new Map<AgentId, Outbox>();

  constructor(parts: RecordedOfficeParts) {
    this.#parts = parts;
  }

  /** Whether an agent of this node has its desk here. */
  keeps(agent: AgentId): boolean {
    return this.#cells.has(agent);
  }

  /** Whether what an agent brings belongs here: what it asked for while it held capabilities, too (OP3). */
  takes(agent: AgentId, baggage: Uint8Array): boolean {
    return this.#cells.has(agent) || (this.#silent.has(agent) && isOutbox(baggage));
  }

  /** Who of them hears a topic. */
  subscribers(topic: string): readonly AgentId[] {
    return [...this.#desks].filter(([, { outbox }]) => outbox.topics.has(topic)).map(([agent]) => agent);
  }

  /** The node stops: nothing more is done, and nobody is told; replicas go on with it. */
  stop(): void {
    for (const desk of this.#desks.values()) desk.carryAway();
    this.#desks.clear();
  }

  // What is recorded (CellOutputs)

  open(cell: RecordedCell, asks: boolean): void {
    this.#silent.delete(cell.agent);
    (asks ? this.#cells : this.#silent).set(cell.agent, cell);
  }

  close(agent: AgentId): void {
    this.#cells.delete(agent);
    this.#silent.delete(agent);
    if (this.#desks.get(agent)?.leaving === false) this.#forget(agent);
  }

  said(agent: AgentId, outputs: Uint8Array): void {
    this.#deskOf(agent)?.said(decodeActs(outputs));
  }

  accepted(agent: AgentId, payload: Uint8Array): void {
    const still = this.#still.get(agent);
    if (still === undefined) this.#deskOf(agent)?.accepted(payload);
    else still.accepted(payload);
  }

  state(agent: AgentId): Uint8Array {
    const still = this.#still.get(agent);
    return encodeOutbox(still ?? this.#deskOf(agent)?.outbox ?? this.#new(agent));
  }

  resume(agent: AgentId, state: Uint8Array | undefined): ResumedOutputs {
    const outbox = state === undefined ? this.#new(agent) : decodeOutbox(state);
    return {
      said: (outputs) => void outbox.acts(decodeActs(outputs)),
      accepted: (payload) => void outbox.accepted(payload),
      did: (event) => void outbox.event(readEvent(event)),
      baggage: () => encodeOutbox(outbox),
    };
  }

  // What moves with them (CellBaggage)

  pack(agent: AgentId): Uint8Array {
    const desk = this.#desks.get(agent);
    const outbox = desk?.outbox ?? this.#new(agent);
    desk?.carryAway();
    this.#desks.delete(agent);
    this.#still.set(agent, outbox);
    if (outbox.topics.size > 0) this.#parts.remember(agent, outbox.topics);
    return encodeOutbox(outbox);
  }

  stays(agent: AgentId): void {
    this.#goOn(agent);
  }

  stage(agent: AgentId, bytes: Uint8Array): void {
    const silent = this.#silent.get(agent);
    if (silent !== undefined) this.open(silent, true);
    this.#still.set(agent, decodeOutbox(bytes));
  }

  runs(agent: AgentId): void {
    this.#goOn(agent);
    this.#parts.held(agent, this.#desks.get(agent)?.outbox.weight ?? 0);
  }

  gone(agent: AgentId, left: CellLeft): void {
    this.#still.delete(agent);
    const desk = this.#desks.get(agent);
    if (desk === undefined) return;
    if (!isOver(left)) {
      this.#forget(agent);
      return;
    }
    const leave = (): void => {
      if (left.kind !== "finished") this.#parts.tellFamily(agent, desk.outbox.family, left);
      desk.leave(() => {
        if (this.#desks.get(agent) === desk) this.#desks.delete(agent);
      });
    };
    if (left.kind === "terminated") leave();
    else this.#cells.get(agent)?.when(leave);
  }

  /** RO3. */
  #forget(agent: AgentId): void {
    this.#desks.get(agent)?.carryAway();
    this.#desks.delete(agent);
  }

  #goOn(agent: AgentId): void {
    const outbox = this.#still.get(agent);
    const cell = this.#cells.get(agent);
    this.#still.delete(agent);
    if (outbox === undefined || cell === undefined) return;
    const desk = new RecordedDesk(outbox, cell, this.#parts);
    this.#desks.set(agent, desk);
    desk.goOn();
  }

  /** RO1. */
  #deskOf(agent: AgentId): RecordedDesk | undefined {
    const known = this.#desks.get(agent);
    const cell = this.#cells.get(agent);
    if (known !== undefined || cell === undefined) return known;
    const desk = new RecordedDesk(this.#new(agent), cell, this.#parts);
    this.#desks.set(agent, desk);
    return desk;
  }

  #new(agent: AgentId): Outbox {
    return Outbox.of(this.#parts.random.bytes(new Uint8Array(KEY_BYTES)), this.#parts.familyOf(agent));
  }
}

/** Whether the agent has ended, as opposed to going on elsewhere. */
function isOver(left: CellLeft): boolean {
  if (left.kind === "failed") return left.lost !== true;
  return left.kind !== "moved" && left.kind !== "discarded";
}
