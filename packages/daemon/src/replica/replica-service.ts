/**
 * Replicas of a node: it feeds those of its own agents, keeps copies of others', and takes over what it keeps (docs/availability.md).
 *
 * RS1. Replicas are chosen by rendezvous over the agent's id among the members that are alive and host agents; those on a machine of their own, by the
 *      address, come first.
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
import {
  type Feed,
  Feeds,
  type HeldAgent,
  Holds,
  type Mesh,
  OwnerRow,
  type ReplicaState,
  rendezvous,
} from "@glia-os/mesh-core";
import { decodeBody, encodeBody } from "../node-call.ts";
import { spread } from "./spread.ts";

/** Tells a member that this node has an agent now. Body: `{agent, epoch}`. */
const TAKEN = "replica.taken";

/** How an agent's replicas stand. */
export interface ReplicaView {
  /**
   * `fed`: as many as it wants have all that is acknowledged. `short`: fewer, and the agent goes on. `seeding`: none is complete, the first is being
   * copied. `missing`: there is none.
   */
  readonly state: "fed" | "short" | "seeding" | "missing";
  /** How many it wants. */
  readonly wanted: number;
  /** Those there are. */
  readonly nodes: readonly ReplicaState[];
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
      call,
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
    const feed = this.#feeds.get(agent);
    return feed === undefined ? undefined : viewOf(feed);
  }

  /** Say how the replicas of this node's agents, and its copies of others', stand. */
  measure(): void {
    const { meter } = this.#parts;
    let [wanted, fed, behindBytes] = [0, 0, 0];
    for (const feed of this.#feeds.all()) {
      wanted += feed.wanted;
      for (const replica of feed.replicas) {
        if (replica.state === "fed") fed++;
        behindBytes = Math.max(behindBytes, replica.behindBytes);
      }
    }
    meter.gauge("glia_replicas_wanted", wanted);
    meter.gauge("glia_replicas_fed", fed);
    meter.gauge("glia_replica_behind_bytes", behindBytes);
    meter.gauge("glia_replica_copies", this.#holds.size);
    meter.gauge("glia_replica_copy_bytes", this.#holds.bytes);
  }

  /** Whether an agent is asked for, or is this node's and being built from its copy. */
  arriving(agent: AgentId): boolean {
    return this.#adopted.has(agent) || this.#holds.asks(agent);
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
    const { agent, meta, wish } = cell;
    return this.#feeds.start({
      agent,
      meta,
      wanted: wish.count,
      without: wish.without,
      candidates: (chosen) => this.#candidates(agent, chosen),
      checkpoint: (whole) => replicas.checkpoint(agent, whole),
      onHeld: (position) => cell.held(position),
      onGivenUp: (node) => logger.log("warn", "a replica of an agent is lost", { agent, node }),
      onLost: () => cell.lost(),
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
  #candidates(agent: AgentId, chosen: readonly NodeId[]): readonly NodeId[] {
    const { mesh } = this.#parts;
    const members = mesh.members();
    const hosts = new Map(members.map(({ node, address }) => [node, address?.host]));
    const able = members
      .filter(({ node, state, role }) => node !== mesh.self && state === "alive" && role !== "client")
      .map(({ node }) => node);
    const ranked = rendezvous(`${agent}${agent}`, able, able.length);
    return spread(ranked, [mesh.self, ...chosen], (node) => hosts.get(node));
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

function viewOf({ wanted, replicas }: Feed): ReplicaView {
  const fed = replicas.filter(({ state }) => state === "fed").length;
  const some = fed > 0 ? "short" : replicas.length > 0 ? "seeding" : "missing";
  return { state: fed >= wanted ? "fed" : some, wanted, nodes: replicas };
}

function takenIn(body: Uint8Array): AgentId {
  const { agent, epoch } = (decodeBody(body) ?? {}) as { readonly agent?: unknown; readonly epoch?: unknown };
  if (typeof agent !== "string" || typeof epoch !== "number")
    throw new MalformedError("call body", "it names no agent and epoch");
  toEpoch(epoch);
  return parseAgentId(agent);
}
