/** The mesh: membership, admission, calls, coordination through an anchor, exactly-once agent links and migration. */
export { MeshError, type MeshErrorCode } from "@glia-os/abi/errors/mesh";
export { formatAddress, JOIN_LINE_PREFIX, type JoinLine, parseJoinLine } from "./admission/join-line.ts";
export { ANCHOR_TIMEOUT_MAX_MS } from "./anchor/client.ts";
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
export { FieldReader } from "./codec/reader.ts";
export type { AgentLink, LinkStats } from "./links/agent-link.ts";
export {
  ASKS_MAX,
  DEDUPE_WINDOW,
  LINKS_MAX,
  type LinkId,
  type LinkOffer,
  LinkTable,
  PAYLOAD_MAX,
} from "./links/link-table.ts";
export {
  MEMBERSHIP_PROFILES,
  type MembershipParameters,
  type MembershipProfile,
  membershipParameters,
} from "./membership/parameters.ts";
export { createMesh } from "./mesh.ts";
export type { Mesh, MeshConfig, MeshPorts, MinorityPolicy } from "./mesh-face.ts";
export type {
  AgentLocation,
  Caller,
  CallHandler,
  CallOptions,
  ClusterStart,
  Credentials,
  Member,
  MemberState,
  MeshEvent,
  NodeRole,
} from "./mesh-types.ts";
export type {
  AgentDescription,
  ChunkSource,
  LinkMessage,
  LinkVerdict,
  MeshCells,
  MigratableCells,
  Moved,
} from "./migration/cells-port.ts";
export type { MigrationPhase, MigrationPhaseName, MigrationReport } from "./migration/phase.ts";
export type { PartFaces, PartName, PartPreset } from "./part-table.ts";
export { PART_NAMES, PART_PRESETS } from "./part-table.ts";
