/**
 * Every part a node can have, and how each is made from its context.
 *
 * To add a part: a row in {@link PartFaces}, a factory in {@link PART_FACTORIES}, its place in the presets.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { Coordination } from "@glia-os/abi/ports";
import type { Balancer } from "./balance/balancer.ts";
import type { BlobExchange } from "./blobs/blob-exchange.ts";
import type { Gossip } from "./broadcast/gossip.ts";
import type { Envelope } from "./codec/envelope.ts";
import type { PeerExchange } from "./exchange/peer-exchange.ts";
import { Links } from "./links/links.ts";
import { homeOf } from "./links/mailbox-id.ts";
import type { MeshCells } from "./migration/cells-port.ts";
import { Moves } from "./migration/moves.ts";
import {
  type OverlayPorts,
  startBlobs,
  startBroadcasts,
  startExchange,
  startJobs,
  startRegistry,
  startRoutes,
} from "./overlay-parts.ts";
import type { Part, PartContext } from "./part.ts";
import type { Registry } from "./registry/registry.ts";
import type { Router } from "./routing/router.ts";

/** The face of each part. */
export interface PartFaces {
  /** Exactly-once messages to agents (docs/spec/links.md). */
  readonly links: Links;
  /** Moving agents between nodes (docs/spec/migration.md). */
  readonly moves: Moves;
  /** Where agents are, as hints that members keep for each other (docs/spec/registry.md). */
  readonly registry: Registry;
  /** Where members listen, from others (docs/spec/peer-exchange.md). */
  readonly exchange: PeerExchange;
  /** Messages over relays (docs/spec/routed.md). */
  readonly routes: Router;
  /** Messages to every member (docs/spec/broadcast.md). */
  readonly broadcasts: Gossip;
  /** Blobs between nodes (docs/spec/blob-exchange.md). */
  readonly blobs: BlobExchange;
  /** Jobs between nodes (docs/spec/balance.md). */
  readonly jobs: Balancer;
}

/** The name of a set of parts. */
export type PartPreset = "agents" | "members";

/** The name of a part. */
export type PartName = keyof PartFaces;

/** What factories get beside the context. */
export interface PartSurroundings {
  readonly cells: MeshCells | undefined;
  readonly overlay: OverlayPorts;
  readonly coordination: Coordination;
  /** What this node holds back because it sees no majority (docs/spec/membership.md, "Quorum"). */
  holdsBack(): { readonly moves: boolean; readonly agents: boolean };
  sessionId(): string;
  /** Another part, if it runs. */
  running<Name extends PartName>(name: Name): PartFaces[Name] | undefined;
}

/** How a part is made; undefined when this node cannot have it. */
export type PartFactory<Name extends PartName> = (
  context: PartContext,
  surroundings: PartSurroundings,
) => Part<PartFaces[Name]> | undefined;

/** One factory per part, in the order of starting; they stop in reverse. */
export const PART_FACTORIES: { readonly [Name in PartName]: PartFactory<Name> } = {
  links: startLinks,
  moves: startMoves,
  registry: startRegistry,
  exchange: startExchange,
  routes: startRoutes,
  broadcasts: startBroadcasts,
  blobs: (context, { overlay }) => startBlobs(context, overlay),
  jobs: (context, { overlay }) => startJobs(context, overlay),
};

/** A sender asks again after this time while agents are held back, in milliseconds. */
const HELD_RETRY_MS = 1000;

/** Named sets of parts. `agents` is the default; `members` knows who is there and answers calls, no more. */
export const PART_PRESETS: Readonly<Record<PartPreset, readonly PartName[]>> = {
  agents: ["links", "moves", "registry", "exchange", "routes", "broadcasts", "blobs", "jobs"],
  members: [],
};

/** Every part, in the order of starting. */
export const PART_NAMES: readonly PartName[] = Object.keys(PART_FACTORIES) as PartName[];

function startLinks(context: PartContext, surroundings: PartSurroundings): Part<Links> {
  const { self, role, timers, random } = context;
  const { coordination } = surroundings;
  const cells = heldBack(surroundings);
  let stopped = false;
  const links: Links = new Links({
    self,
    timers,
    random,
    cells,
    coordination: () => coordination,
    hint: async (agent) => (await surroundings.running("registry")?.find(agent))?.record,
    send: (node, envelope: Envelope) => {
      // A message that cannot be sent counts as lost: the link sends it again.
      if (node !== self) context.send(node, "request", envelope);
      // Not at once: the sender is in the middle of its own step. Not by a timer: that costs a millisecond.
      else void Promise.resolve().then(() => !stopped && links.receive({ node, role }, envelope));
    },
    homeOf: (agent) => homeOf(context.members(), agent),
    congested: (node) => node !== self && context.congested(node),
    addressHint: (node, address) => context.hint(node, address),
  });
  return {
    face: links,
    kinds: ["linkData", "linkAck", "linkClose"],
    receive: (peer, _class, envelope) => links.receive(peer, envelope),
    peerLost: (node) => links.peerLost(node),
    drained: (node) => links.drained(node),
    close: () => links.close(),
    stop: () => {
      stopped = true;
      links.stop();
    },
  };
}

/** While agents are held back they are offered nothing: messages stay with their senders, in order, and come later. */
function heldBack({
  cells,
  holdsBack,
}: PartSurroundings): Pick<MeshCells, "deliver" | "linkClosed"> | undefined {
  if (cells === undefined) return undefined;
  return {
    deliver: (message) =>
      holdsBack().agents ? { kind: "retry", retryAfterMs: HELD_RETRY_MS } : cells.deliver(message),
    linkClosed: (agent, link) => cells.linkClosed(agent, link),
  };
}

function startMoves(context: PartContext, surroundings: PartSurroundings): Part<Moves> | undefined {
  const { cells, coordination, sessionId, running, holdsBack } = surroundings;
  if (cells === undefined) return undefined;
  const moves = new Moves({
    context,
    cells,
    coordination,
    sessionId,
    refused: () => holdsBack().moves,
    links: () => running("links"),
    arrived: (agent) => announceArrival(agent, context.self, coordination, running("registry")),
  });
  return { face: moves, stop: () => moves.stop() };
}

/** Its name and epoch are in coordination; the registry hears of it afterwards, and nobody waits. */
function announceArrival(
  agent: AgentId,
  self: NodeId,
  coordination: Coordination,
  registry: Registry | undefined,
): void {
  if (registry === undefined) return;
  const announce = async (): Promise<void> => {
    const row = await coordination.getAgent(agent);
    if (row?.owner === self && row.status !== "terminated")
      await registry.publish(agent, row.epoch, row.name);
  };
  announce().catch(() => undefined);
}
