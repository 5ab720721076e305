/**
 * Replicas of a node: it feeds those of its own agents, keeps copies of others', and takes over what it keeps (docs/availability.md).
 *
 * RS1. A replica is chosen by rendezvous over the agent's id among the members that are alive and host agents.
 * RS2. An agent that turns out to be another node's is dropped here, and its senders are told where it is.
 * RS3. A member that says it took an agent over makes this node ask coordination; only the row is believed.
 */
import { MalformedError } from "@glia-os/abi/errors";
import { type AgentId, type Epoch, type NodeId, parseAgentId, toEpoch } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Logger, Meter, Random, Timers } from "@glia-os/abi/ports";
import {
  type CellGate,
  checkReplicable,
  decodeManifest,
  type ReplicaGate,
  type ReplicatedCell,
} from "@glia-os/cells";
import { type Feed, Feeds, type HeldAgent, Holds, type Mesh, OwnerRow, rendezvous } from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";

/** Tells a member that this node has an agent now. Body: `{agent, epoch}`. */
const TAKEN = "replica.taken";

/** How an agent's replica stands. */
export interface ReplicaView {
  /** `fed`: what is acknowledged is there, too. `seeding`: it is being copied. `missing`: there is none. */
  readonly state: "fed" | "seeding" | "missing";
  readonly node?: NodeId;
}

/** What the service is made of. */
export interface ReplicaServiceParts {
  readonly mesh: Mesh;
  /** As the mesh sees it, with replicas. */
  readonly gate: CellGate;
  readonly replicas: ReplicaGate;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly sessionId: () => string;
  /** Whether the agents' thread gets on. */
  readonly alive: () => boolean;
}

/** The replicas of one node. */
export class ReplicaService {
  readonly #parts: ReplicaServiceParts;
  readonly #row: OwnerRow;
  readonly #feeds: Feeds;
  readonly #holds: Holds;
  readonly #adopted = new Set<AgentId>();

  constructor(parts: ReplicaServiceParts) {
    this.#parts = parts;
    const { mesh, gate, replicas, clock, timers, random, sessionId, alive } = parts;
    const { self } = mesh;
    const coordination = (): Mesh["coordination"] => mesh.coordination;
    const call: Mesh["call"] = (...args) => mesh.call(...args);
    this.#row = new OwnerRow({
      self,
      timers,
      random,
      coordination,
      sessionId,
      stands: (agent) => gate.stands(agent),
      renew: (agent, epoch) => gate.renew(agent, epoch),
    });
    this.#feeds = new Feeds({ clock, timers, random, row: this.#row, call, alive });
    this.#holds = new Holds({
      self,
      clock,
      timers,
      coordination,
      sessionId,
      admit: async (agent, meta) => {
        checkReplicable(decodeManifest(meta));
        await gate.admit(agent, meta, 0);
      },
      adopt: (held, row) => this.#adopt(held, row),
    });
    for (const [method, handler] of this.#holds.methods()) mesh.handle(method, handler);
    mesh.handle(TAKEN, async (_, body) => {
      await this.#hear(takenIn(body));
      return encodeBody(null);
    });
    replicas.bind({
      begin: (cell) => this.#begin(cell),
      end: (agent, keeps) => this.#feeds.end(agent, keeps !== true),
    });
  }

  /** How the replica of an agent of this node stands; undefined for one without. */
  view(agent: AgentId): ReplicaView | undefined {
    const state = this.#feeds.get(agent)?.state;
    if (state === undefined) return undefined;
    return state.kind === "missing" ? { state: "missing" } : { state: state.kind, node: state.replica };
  }

  /** Whether an agent is asked for, or is this node's and being built from its copy. */
  arriving(agent: AgentId): boolean {
    return this.#adopted.has(agent) || this.#holds.asks(agent);
  }

  /** Copies of others' agents here, and their bytes. */
  held(): { readonly copies: number; readonly bytes: number } {
    return { copies: this.#holds.size, bytes: this.#holds.bytes };
  }

  /** This node has another session than before (RP5). */
  async sessionChanged(): Promise<void> {
    await this.#feeds.reassert();
  }

  /** Stop feeding, keeping and taking over. */
  stop(): void {
    this.#row.stop();
    this.#holds.stop();
    this.#feeds.stop();
  }

  #begin(cell: ReplicatedCell): Feed {
    const { replicas, logger } = this.#parts;
    const { agent, meta, without } = cell;
    return this.#feeds.start({
      agent,
      meta,
      without,
      candidates: () => this.#candidates(agent),
      checkpoint: (whole) => replicas.checkpoint(agent, whole),
      onHeld: (position) => cell.held(position),
      onLost: () => {
        logger.log("warn", "the replica of an agent is lost", { agent });
        cell.lost();
      },
      onFenced: (owner) => void this.#fenced(agent, owner),
    });
  }

  /** RS3. Nodes that have nothing to do with the agent ask nobody. */
  async #hear(agent: AgentId): Promise<void> {
    const { mesh } = this.#parts;
    if (!mesh.parts().includes("links") || !mesh.part("links").knows(agent)) return;
    const row = await mesh.coordination.getAgent(agent);
    if (row === undefined || row.status === "terminated") return;
    mesh.part("links").relocated({ agent, epoch: row.epoch, owner: row.owner });
  }

  /** RS1. */
  #candidates(agent: AgentId): readonly NodeId[] {
    const { mesh } = this.#parts;
    const able = mesh
      .members()
      .filter(({ node, state, role }) => node !== mesh.self && state === "alive" && role !== "client");
    const nodes = able.map(({ node }) => node);
    return rendezvous(`${agent}${agent}`, nodes, nodes.length);
  }

  /** RS2. */
  async #fenced(agent: AgentId, owner: NodeId | undefined): Promise<void> {
    const { mesh, gate, logger } = this.#parts;
    logger.log("warn", "an agent is another node's: its copy here ends", { agent, owner });
    const row = await mesh.coordination.getAgent(agent).catch(() => undefined);
    const to = row?.owner ?? owner;
    if (to === undefined || to === mesh.self) return gate.terminate(agent);
    const address = mesh.members().find(({ node }) => node === to)?.address;
    const moved = { agent, epoch: row?.epoch ?? toEpoch(1), owner: to, address };
    await gate.retire(agent, moved);
    if (mesh.parts().includes("links")) mesh.part("links").moved(moved);
  }

  async #adopt(held: HeldAgent, row: AgentRow): Promise<void> {
    const { replicas, logger, meter, clock } = this.#parts;
    const { agent, epoch, status, name } = row;
    const startedMs = clock.monotonicMs();
    const waits = this.#adopted.has(agent);
    this.#adopted.add(agent);
    try {
      await replicas.adopt(agent, held, epoch, status === "suspended");
    } catch (error) {
      // The copy stays, and is given again every few hundred milliseconds: told once.
      if (!waits) logger.log("error", "a takeover waits for room", { agent, name, error: String(error) });
      throw error;
    }
    this.#adopted.delete(agent);
    const ms = clock.monotonicMs() - startedMs;
    meter.count("glia_failovers_total");
    logger.log("warn", "an agent was taken over", { agent, name, epoch, entries: held.log.length, ms });
    this.#tell(agent, epoch);
  }

  /** Senders find the agent by themselves, in seconds; those of members, when they are told. */
  #tell(agent: AgentId, epoch: Epoch): void {
    const { mesh } = this.#parts;
    if (mesh.parts().includes("links")) mesh.part("links").relocated({ agent, epoch, owner: mesh.self });
    for (const { node, state } of mesh.members())
      if (node !== mesh.self && state === "alive")
        mesh.call(node, TAKEN, encodeBody({ agent, epoch })).catch(() => undefined);
  }
}

function takenIn(body: Uint8Array): AgentId {
  const { agent, epoch } = (decodeBody(body) ?? {}) as { readonly agent?: unknown; readonly epoch?: unknown };
  if (typeof agent !== "string" || typeof epoch !== "number")
    throw new MalformedError("call body", "it names no agent and epoch");
  toEpoch(epoch);
  return parseAgentId(agent);
}
