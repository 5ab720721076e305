/** The mesh: membership, admission, calls, coordination through an anchor, agent links, migration, and the overlay: registry, routes, broadcasts, blobs, jobs. */
export { MeshError, type MeshErrorCode } from "@glia-os/abi/errors/mesh";
export { credentialsOf } from "./admission/cluster-keys.ts";
export { formatAddress, JOIN_LINE_PREFIX, type JoinLine, parseJoinLine } from "./admission/join-line.ts";
export { ANCHOR_TIMEOUT_MAX_MS } from "./anchor/client.ts";
export {
  BALANCE_MS,
  Balancer,
  type BalancerOptions,
  type BalancerStats,
  type JobRoute,
} from "./balance/balancer.ts";
export { createEngineQueue, type EngineQueueOptions } from "./balance/engine-queue.ts";
export { isOverloaded, type Load } from "./balance/load.ts";
export { type JobCodec, JSON_CODEC } from "./balance/messages.ts";
export { type QuorumOptions, type QuorumResult, quorum } from "./balance/quorum.ts";
export { type TopologyKind, topology } from "./balance/topology.ts";
export { BlobExchange, type BlobExchangeOptions, type BlobExchangeStats } from "./blobs/blob-exchange.ts";
export { Gossip, type GossipOptions, type GossipStats } from "./broadcast/gossip.ts";
export { BROADCAST_PAYLOAD_MAX, Broadcasts } from "./broadcast/message.ts";
export { CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, type CborValue, decodeCbor, encodeCbor } from "./codec/cbor.ts";
export {
  decodeEnvelope,
  ENVELOPE_HEADER_BYTES,
  ENVELOPE_VERSION,
  type Envelope,
  encodeEnvelope,
  KINDS,
  type Kind,
} from "./codec/envelope.ts";
export { inOnePiece, JoinedBytes } from "./codec/joined-bytes.ts";
export { FieldReader } from "./codec/reader.ts";
export { PeerExchange, type PeerExchangeStats } from "./exchange/peer-exchange.ts";
export { type PeerRecord, PeerRecords } from "./exchange/peer-record.ts";
export { type Checkpoint, Feed, type FeedOptions, type ReplicaState } from "./failover/feed.ts";
export { Feeds, type OwnFeedOptions, type SharedFeedOptions } from "./failover/feeds.ts";
export type { HeldAgent, HeldEntry } from "./failover/hold.ts";
export { HOLD_BYTES, Holds, type HoldsOptions } from "./failover/holds.ts";
export { REPLICA_METHODS, readTaken, takeBody } from "./failover/messages.ts";
export { OwnerRow, type OwnerRowOptions, type RowOutcome } from "./failover/owner-row.ts";
export { FIND_METHOD, Kademlia, type KademliaOptions, type KademliaStats } from "./kademlia/kademlia.ts";
export { Lookup, type LookupOptions, type LookupStep } from "./kademlia/lookup.ts";
export type { AgentLink, LinkStats } from "./links/agent-link.ts";
export { type CarriedLink, HELD_MESSAGES } from "./links/link-sender.ts";
export {
  ASKS_MAX,
  DEDUPE_WINDOW,
  LINK_ID_BYTES,
  LINKS_MAX,
  type LinkId,
  type LinkOffer,
  LinkTable,
  PAYLOAD_MAX,
} from "./links/link-table.ts";
export { AGENT_LINKS_MAX, type AgentLinkEvents, type OutgoingLink } from "./links/links.ts";
export { homeOf, mailboxId } from "./links/mailbox-id.ts";
export {
  MEMBERSHIP_PROFILES,
  type MembershipParameters,
  type MembershipProfile,
  membershipParameters,
} from "./membership/parameters.ts";
export type { QuorumState } from "./membership/quorum.ts";
export { createMesh } from "./mesh.ts";
export type { Mesh, MeshConfig, MeshPorts, MinorityPolicy } from "./mesh-face.ts";
export type {
  AgentLocation,
  Caller,
  CallHandler,
  CallOptions,
  ClusterStart,
  Credentials,
  KeyOverlap,
  Member,
  MemberState,
  MeshEvent,
  NodeRole,
} from "./mesh-types.ts";
export type {
  AgentDescription,
  ChunkSource,
  IncomingPages,
  LinkMessage,
  LinkVerdict,
  MeshCells,
  MigratableCells,
  Moved,
  PagesAnswer,
  PieceSource,
  PostCopyCells,
  PreCopyCells,
} from "./migration/cells-port.ts";
export type {
  MigrateOptions,
  MigrationPhase,
  MigrationPhaseName,
  MigrationReport,
  MigrationStrategy,
} from "./migration/phase.ts";
export type { OverlayPorts } from "./overlay-parts.ts";
export type { PartFaces, PartName, PartPreset } from "./part-table.ts";
export { PART_NAMES, PART_PRESETS } from "./part-table.ts";
export { type AgentRecord, AgentRecords } from "./registry/agent-record.ts";
export {
  type Located,
  READS,
  REGISTRY_METHODS,
  REPLICATION,
  Registry,
  type RegistryOptions,
  type RegistryStats,
  readRecordAnswer,
  recordQuestion,
} from "./registry/registry.ts";
export { rendezvous } from "./registry/rendezvous.ts";
export { shard } from "./registry/shard.ts";
export { type FullViewOptions, fullView, kademliaView, type RecordStrategy } from "./registry/strategy.ts";
export { RoutedBatches } from "./routing/routed-batch.ts";
export { Router, type RouterOptions, type RouterStats } from "./routing/router.ts";
export { Vouch, type Vouched, type VouchOptions } from "./vouched.ts";
