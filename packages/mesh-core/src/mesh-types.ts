/** The public face of the mesh: what a node composes it from, and what it gets. */
import type { AgentId, ClusterId, Epoch, NodeId } from "@glia-os/abi/ids";
import type {
  Clock,
  Coordination,
  Digests,
  HostPort,
  Logger,
  Random,
  Signer,
  Timers,
  TrafficClass,
  Transport,
} from "@glia-os/abi/ports";
import type { AgentLink } from "./links/agent-link.ts";
import type { LinkId } from "./links/link-table.ts";
import type { MembershipParameters, MembershipProfile } from "./membership/parameters.ts";
import type { MeshCells } from "./migration/cells-port.ts";
import type { MigrationPhase, MigrationReport } from "./migration/phase.ts";

/** What a node does. A `client` is admitted to call and send, hosts nothing, listens nowhere and is no member for others. */
export type NodeRole = "edge" | "relay" | "core" | "client";

/** What this node thinks of a member. */
export type MemberState = "alive" | "suspect" | "dead" | "left";

/** One member as this node sees it. */
export interface Member {
  readonly node: NodeId;
  /** Raw Ed25519 public key: 32 bytes. */
  readonly publicKey: Uint8Array;
  readonly role: NodeRole;
  readonly name: string;
  readonly address: HostPort;
  /** Grows with every start of the node. */
  readonly bootEpoch: number;
  /** Grows with every refutation. */
  readonly incarnation: number;
  readonly state: MemberState;
}

/** What happened in the mesh. */
export type MeshEvent =
  | { readonly kind: "memberUp" | "memberSuspect" | "memberDead" | "memberLeft"; readonly member: Member }
  /** A peer proved its membership on a session; `client` peers appear only here. */
  | { readonly kind: "sessionUp"; readonly node: NodeId; readonly role: NodeRole }
  | { readonly kind: "sessionDown"; readonly node: NodeId; readonly reason: string }
  /** A session or message was refused; `code` says why. */
  | { readonly kind: "refused"; readonly node: NodeId; readonly code: string; readonly message: string }
  | {
      readonly kind: "migrationPhase";
      readonly agent: AgentId;
      readonly to: NodeId;
      readonly phase: MigrationPhase;
    };

/** How this node came to its cluster. */
export type ClusterStart =
  /** Found a new cluster: this node holds the cluster key and names the anchor, itself by default. */
  | { readonly kind: "found"; readonly clusterSigner: Signer }
  /** Join with a line from {@link Mesh.createJoinLine}. */
  | { readonly kind: "join"; readonly line: string }
  /** Come back with kept credentials, dialling `contacts` in turn. The founder passes its cluster key again. */
  | {
      readonly kind: "member";
      readonly credentials: Credentials;
      readonly contacts: readonly HostPort[];
      readonly clusterSigner?: Signer;
    };

/** What a node keeps to come back without a join line. Not secret: it is useless without the node's key. */
export interface Credentials {
  /** Membership certificate, signed by the cluster key. */
  readonly certificate: Uint8Array;
  /** Cluster record: cluster key and anchor, signed by the cluster key. */
  readonly clusterRecord: Uint8Array;
}

/** Everything the mesh takes from outside. */
export interface MeshPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** The node's long-term key; `transport.self` must be its node id. */
  readonly signer: Signer;
  readonly digests: Digests;
  readonly logger?: Logger;
  /** The agents of this node. Leave out on a `client`. */
  readonly cells?: MeshCells;
  /** The engine this node serves as anchor. Needed on the founder, refused elsewhere. */
  readonly coordination?: Coordination;
}

/** Settings of one node. */
export interface MeshConfig {
  /** 1 to 32 of a-z, 0-9, `-`, `.`, `_`. */
  readonly name: string;
  readonly role: NodeRole;
  readonly start: ClusterStart;
  /** Where to listen; leave out on a `client`. */
  readonly bind?: HostPort;
  /** What others dial, when it differs from `bind`. */
  readonly advertise?: HostPort;
  /** Greater than at every earlier start of this node, from 1 to 2^53 - 1: a stored counter or the wall clock in milliseconds. */
  readonly bootEpoch: number;
  /** Failure detector timing. Default `lan`. */
  readonly membership?: MembershipProfile | MembershipParameters;
  /** Most time a join may take. Default 10,000. */
  readonly joinTimeoutMs?: number;
  /** Most time a move may take before it is rolled back. Default 30,000. */
  readonly migrationDeadlineMs?: number;
  /** Most time a coordination request may take. Default 5,000, which is also the maximum. */
  readonly anchorTimeoutMs?: number;
  /** Validity of certificates this founder issues. Default 365 days. */
  readonly certificateTtlMs?: number;
}

/** Who makes a call. */
export interface Caller {
  /** Proven by the session. */
  readonly node: NodeId;
  /** From the caller's membership certificate. */
  readonly role: NodeRole;
}

/** Answers calls of one method. Throwing sends the error's record to the caller. */
export type CallHandler = (caller: Caller, body: Uint8Array) => Promise<Uint8Array>;

/** Options of one call. */
export interface CallOptions {
  /** 1 to 600,000. Default 10,000. */
  readonly timeoutMs?: number;
  /** Repeat the request this often until it is answered; only for methods that are safe to repeat. */
  readonly resendMs?: number;
  /** Default `request`. */
  readonly trafficClass?: Exclude<TrafficClass, "datagram">;
}

/** Where an agent is. */
export interface AgentLocation {
  readonly agent: AgentId;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** One running mesh node. */
export interface Mesh {
  readonly self: NodeId;
  /** Set by a finished `start`. */
  readonly cluster: ClusterId;
  /** The cluster's anchor. */
  readonly anchor: NodeId;
  /** The address others dial; undefined on a client. */
  readonly address: HostPort | undefined;
  /** Listen, then found or join the cluster. Resolves when this node is a member. @throws the typed refusals of docs/spec/join.md. */
  start(): Promise<void>;
  /** Tell the members, close links and sessions, stop. Idempotent. */
  stop(): Promise<void>;
  /** Members this node knows, itself first, then by node id. Clients are not among them. */
  members(): readonly Member[];
  /** Listen to events; the result stops it. A listener must not throw. */
  onEvent(listen: (event: MeshEvent) => void): () => void;
  /** A line that admits `uses` nodes (1 to 10,000) until `ttlMs` from now (1 s to 30 days). @throws {NoClusterKeyError} except on the founder. */
  createJoinLine(options: { readonly ttlMs: number; readonly uses: number }): string;
  /** What to keep for a later start of kind `member`. */
  credentials(): Credentials;
  /** The cluster's truth: the engine itself on the anchor, calls to it elsewhere. */
  readonly coordination: Coordination;
  /** The coordination session of this node that moves name as new owner's session; set it after `openSession`. */
  setSessionId(sessionId: string): void;
  /** Call a method of a member. @throws the peer's error as `RemoteError`; `mesh.call-timeout`, `mesh.peer-unreachable`. */
  call(node: NodeId, method: string, body: Uint8Array, options?: CallOptions): Promise<Uint8Array>;
  /** Answer a method: 1 to 64 of a-z, 0-9, `.`, `-`. The prefixes `coord.` and `move.` are the mesh's own. */
  handle(method: string, handler: CallHandler): void;
  /** The link from this node to an agent; the same one every time until it is closed. */
  link(agent: AgentId): AgentLink;
  /** Push the reply to an ask to the sender's node. The reply must already be in the agent's link table. */
  pushReply(to: NodeId, reply: { agent: AgentId; link: LinkId; seq: number; payload: Uint8Array }): void;
  /** Where an agent is: from the cache, else from coordination. @throws {AgentUnknownError}. */
  locate(agent: AgentId): Promise<AgentLocation>;
  /** Move an agent of this node. @throws `mesh.migration-refused`, `-aborted`, `-fenced`, `-in-progress`, `mesh.not-hosted`. */
  migrate(agent: AgentId, to: NodeId): Promise<MigrationReport>;
}
