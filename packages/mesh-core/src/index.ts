/** The mesh: membership, admission, calls, coordination through an anchor, exactly-once agent links and migration. */
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
export type {
  AgentLocation,
  Caller,
  CallHandler,
  CallOptions,
  ClusterStart,
  Credentials,
  Member,
  MemberState,
  Mesh,
  MeshConfig,
  MeshEvent,
  MeshPorts,
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
