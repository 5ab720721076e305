/** How the parts of the overlay are made from a node's context (docs/spec: registry, peer-exchange, routed, broadcast, blob-exchange, balance). */
import type { NodeId } from "@glia-os/abi/ids";
import type { Blobs, JobQueue } from "@glia-os/abi/ports";
import { Balancer } from "./balance/balancer.ts";
import type { Load } from "./balance/load.ts";
import { BlobExchange } from "./blobs/blob-exchange.ts";
import { Gossip } from "./broadcast/gossip.ts";
import { Broadcasts } from "./broadcast/message.ts";
import { PeerExchange } from "./exchange/peer-exchange.ts";
import { PeerRecords } from "./exchange/peer-record.ts";
import { Kademlia } from "./kademlia/kademlia.ts";
import type { Member, NodeRole } from "./mesh-types.ts";
import type { Part, PartContext } from "./part.ts";
import { AgentRecords } from "./registry/agent-record.ts";
import { REGISTRY_METHODS, Registry, readRecordAnswer, recordQuestion } from "./registry/registry.ts";
import { fullView, kademliaView, type RecordStrategy } from "./registry/strategy.ts";
import { RoutedBatches } from "./routing/routed-batch.ts";
import { Router } from "./routing/router.ts";
import type { VouchOptions } from "./vouched.ts";

/** What jobs and blobs of this node work with. */
export interface OverlayPorts {
  /** Jobs that may be stolen and given away: the part `jobs`. */
  readonly jobs?: JobQueue;
  /** Processor and memory of this machine, for `jobs`. */
  readonly machine?: () => Pick<Load, "cpu" | "memoryFree">;
  /** Blobs to exchange: the part `blobs`. */
  readonly blobs?: Blobs;
}

const ASK_MS = 1000;

/** Whether a role stores and forwards for others. */
export function serves(role: NodeRole): boolean {
  return role === "relay" || role === "core";
}

/** The part `registry`. */
export function startRegistry(context: PartContext): Part<Registry> {
  const { self, name, bootEpoch, clock, timers, random, digests, meter } = context;
  const isServing = serves(context.role);
  const held: { registry?: Registry } = {};
  const kademlia =
    context.settings.registry === "kademlia"
      ? startKademlia(context, (key) => held.registry?.valueOf(key))
      : undefined;
  const registry = new Registry({
    self,
    bootEpoch,
    clock,
    timers,
    random,
    digests,
    meter,
    name,
    records: new AgentRecords(vouching(context)),
    strategy: kademlia === undefined ? seeingAll(context) : kademliaView(kademlia, self, isServing),
    serves: isServing,
    addresses: () => listOf(context.address()),
    call: (...args) => context.call(...args),
  });
  held.registry = registry;
  handleAll(context, registry.methods());
  registry.start();
  return {
    face: registry,
    stop: () => {
      registry.stop();
      kademlia?.stop();
    },
  };
}

function seeingAll(context: PartContext): RecordStrategy {
  let version = 0;
  context.onEvent(({ kind }) => {
    if (kind === "memberUp" || kind === "memberDead" || kind === "memberLeft") version++;
  });
  return fullView({
    self: context.self,
    serving: () => alive(context).flatMap(({ node, role }) => (serves(role) ? [node] : [])),
    version: () => version,
    ask: async (node, key) => {
      const options = { timeoutMs: ASK_MS };
      return readRecordAnswer(await context.call(node, REGISTRY_METHODS.find, recordQuestion(key), options));
    },
  });
}

function startKademlia(context: PartContext, held: (key: string) => Uint8Array | undefined): Kademlia {
  const { self, role, clock, timers, random } = context;
  const kademlia = new Kademlia({
    self,
    clock,
    timers,
    random: random.fork("kademlia"),
    serves: () => (serves(role) ? context.address() : undefined),
    call: (...args) => context.call(...args),
    addressOf: (node) => context.member(node)?.address,
    addressHint: (node, address) => {
      if (context.member(node) === undefined) context.hint(node, address);
    },
    heldUnder: held,
  });
  context.onEvent((event) => {
    if (!("member" in event)) return;
    const { node, role: theirs, address } = event.member;
    if (event.kind === "memberUp" && serves(theirs) && node !== self) kademlia.seen(node, address);
    else if (event.kind === "memberDead" || event.kind === "memberLeft") kademlia.gone(node);
  });
  for (const { node, role: theirs, address } of alive(context))
    if (serves(theirs) && node !== self) kademlia.seen(node, address);
  if (serves(role)) handleAll(context, kademlia.methods());
  kademlia.start();
  return kademlia;
}

/** The part `exchange`. */
export function startExchange(context: PartContext): Part<PeerExchange> {
  const { self, role, timers, random, bootEpoch } = context;
  const exchange = new PeerExchange({
    self,
    timers,
    random,
    records: new PeerRecords(vouching(context)),
    address: () => (role === "client" ? undefined : context.address()),
    seq: bootEpoch,
    peers: () => context.connections().flatMap((peer) => (peer.role === "client" ? [] : [peer.node])),
    call: (...args) => context.call(...args),
    learned: ({ node, addresses }) => {
      const [address] = addresses;
      if (address !== undefined && context.member(node) === undefined) context.hint(node, address);
    },
  });
  handleAll(context, exchange.methods());
  exchange.start();
  return { face: exchange, stop: () => exchange.stop() };
}

/** The part `routes`. */
export function startRoutes(context: PartContext): Part<Router> {
  const { self, role, clock, bootEpoch } = context;
  const router = new Router({
    self,
    bootEpoch,
    clock,
    batches: new RoutedBatches(vouching(context)),
    forwards: serves(role),
    connected: (node) => context.connected(node),
    relays: () =>
      alive(context).flatMap(({ node, role: theirs }) => (serves(theirs) && node !== self ? [node] : [])),
    call: (...args) => context.call(...args),
  });
  handleAll(context, router.methods());
  return { face: router, stop: () => router.stop() };
}

/** The part `broadcasts`. A client has none: it passes nothing on. */
export function startBroadcasts(context: PartContext): Part<Gossip> | undefined {
  const { self, role, clock, timers, random, digests, bootEpoch } = context;
  if (role === "client") return undefined;
  const gossip = new Gossip({
    self,
    bootEpoch,
    clock,
    timers,
    random,
    digests,
    broadcasts: new Broadcasts(vouching(context)),
    peers: () => otherMembers(context),
    call: (...args) => context.call(...args),
  });
  handleAll(context, gossip.methods());
  gossip.start();
  return { face: gossip, stop: () => gossip.stop() };
}

/** The part `blobs`, on a node with a blob store. */
export function startBlobs(context: PartContext, { blobs }: OverlayPorts): Part<BlobExchange> | undefined {
  if (blobs === undefined) return undefined;
  const { digests, clock, timers } = context;
  const exchange = new BlobExchange({
    blobs,
    digests,
    clock,
    timers,
    call: (...args) => context.call(...args),
  });
  handleAll(context, exchange.methods());
  return { face: exchange, stop: () => exchange.stop() };
}

/** The part `jobs`, on a node with a queue. */
export function startJobs(context: PartContext, { jobs, machine }: OverlayPorts): Part<Balancer> | undefined {
  if (jobs === undefined || context.role === "client") return undefined;
  const { self, clock, timers, random, meter } = context;
  const balancer = new Balancer({
    self,
    clock,
    timers,
    random,
    meter,
    queue: jobs,
    ...(machine === undefined ? {} : { machine }),
    features: context.settings.features ?? [],
    peers: () => otherMembers(context),
    call: (...args) => context.call(...args),
  });
  context.onEvent((event) => {
    if (event.kind === "memberDead" || event.kind === "memberLeft") balancer.gone(event.member.node);
  });
  handleAll(context, balancer.methods());
  balancer.start();
  return { face: balancer, stop: () => balancer.stop() };
}

function vouching(context: PartContext): VouchOptions {
  return {
    signer: context.signer,
    digests: context.digests,
    cluster: () => context.cluster(),
    certificate: () => context.certificate(),
    open: (certificate) => context.openMember(certificate),
  };
}

function handleAll(
  context: PartContext,
  methods: Iterable<readonly [string, Parameters<PartContext["handle"]>[1]]>,
): void {
  for (const [method, handler] of methods) context.handle(method, handler);
}

function alive(context: PartContext): Member[] {
  return context.members().filter(({ state }) => state === "alive");
}

function otherMembers(context: PartContext): NodeId[] {
  return alive(context).flatMap(({ node }) => (node === context.self ? [] : [node]));
}

function listOf<Item>(item: Item | undefined): Item[] {
  return item === undefined ? [] : [item];
}
