/** The face of a node: what it is composed from, its settings, and what it does. */
import type { AgentId, ClusterId, NodeId } from "@glia-os/abi/ids";
import type {
  Clock,
  Coordination,
  Digests,
  HostPort,
  Logger,
  Meter,
  Random,
  Signer,
  Timers,
  Tracer,
  Transport,
} from "@glia-os/abi/ports";
import type { AgentLink } from "./links/agent-link.ts";
import type { LinkId } from "./links/link-table.ts";
import type { MembershipParameters, MembershipProfile } from "./membership/parameters.ts";
import type { QuorumState } from "./membership/quorum.ts";
import type {
  AgentLocation,
  CallHandler,
  CallOptions,
  ClusterStart,
  Credentials,
  KeyOverlap,
  Member,
  MeshEvent,
  NodeRole,
} from "./mesh-types.ts";
import type { MeshCells } from "./migration/cells-port.ts";
import type { MigrateOptions, MigrationReport } from "./migration/phase.ts";
import type { OverlayPorts } from "./overlay-parts.ts";
import type { PartSettings } from "./part.ts";
import type { PartFaces, PartName, PartPreset } from "./part-table.ts";

/** Everything the mesh takes from outside. */
export interface MeshPorts extends OverlayPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  /** The node's long-term key; `transport.self` must be its node id. */
  readonly signer: Signer;
  readonly digests: Digests;
  readonly logger?: Logger;
  /** Counts what docs/spec/metrics.md lists. */
  readonly meter?: Meter;
  /** Makes spans of calls that ask for one. Default: none. */
  readonly tracer?: Tracer | undefined;
  /** The agents of this node. Leave out on a `client`. */
  readonly cells?: MeshCells;
  /** The engine this node serves as anchor. Needed on the founder, refused elsewhere. */
  readonly coordination?: Coordination;
}

/**
 * What a node does while it sees no majority: nothing; take part in no move; or that and offer its agents no message either, so that
 * what is sent to them waits with the senders. Timers and computations of agents go on in every case.
 */
export type MinorityPolicy = "continue" | "refuse-moves" | "pause-agents";

/** Settings of one node. */
export interface MeshConfig extends PartSettings {
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
  /** Most time a coordination request may take. Default 5,000, which is also the maximum. */
  readonly anchorTimeoutMs?: number;
  /** What this node does beside membership and calls: a preset or a list. Default `agents`. */
  readonly parts?: PartPreset | readonly PartName[];
  /** What this node does while it sees no majority of the cluster (docs/spec/membership.md). Default `continue`. */
  readonly minorityPolicy?: MinorityPolicy;
  /** Validity of certificates this founder issues. Default 365 days. */
  readonly certificateTtlMs?: number;
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
  /** The parts that run, in the order they start. */
  parts(): readonly PartName[];
  /** A part that runs. @throws {PartStoppedError}. */
  part<Name extends PartName>(name: Name): PartFaces[Name];
  /** Start a part; nothing happens if it runs or this node cannot have it (a node without cells moves no agents). */
  startPart(name: PartName): void;
  /** Flush and stop a part: it keeps no timer, handler or listener, and may be started again. */
  stopPart(name: PartName): Promise<void>;
  /** Members this node knows, itself first, then by node id. Clients are not among them. */
  members(): readonly Member[];
  /** Listen to events; the result stops it. A listener must not throw. */
  onEvent(listen: (event: MeshEvent) => void): () => void;
  /** A line that admits `uses` nodes (1 to 10,000) until `ttlMs` from now (1 s to 30 days). @throws {NoClusterKeyError} except on the founder. */
  createJoinLine(options: { readonly ttlMs: number; readonly uses: number }): string;
  /**
   * Remove a node: its certificates are worthless everywhere from when this is heard, its sessions end, and it comes back only with a
   * join line made afterwards. The node need not run, and need not be known here.
   * @throws {NoClusterKeyError} except on the holder of the cluster key; {InvalidOptionError} for this node itself.
   */
  remove(node: NodeId): void;
  /**
   * Let `next` follow the present cluster key. Certificates of the old key count for `overlapMs` more (0 to 365 days), or until `untilMs`
   * since 1970; members renew theirs at once. The cluster's id stays. Keep `next` before calling: afterwards the old key admits nobody.
   * With the same `untilMs` the same statement is signed again, so a rotation whose outcome was not kept can be made once more.
   * @throws {NoClusterKeyError} except on the holder of the cluster key.
   */
  rotateClusterKey(next: Signer, overlap: KeyOverlap): void;
  /** Local health, 0 (well) to 7: how far this node doubts its own judgement of others. */
  readonly healthScore: number;
  /** The least local health may be from now on, 0 to 7: for what is known outside of the mesh, such as that the agents' thread stands still. */
  setHealthFloor(score: number): void;
  /**
   * Probe, gossip and exchange tables so many times less often from now on, 1 to 5 (cut to that): a node that runs on a battery. It answers as
   * before, and is thought alive as before; what it would have noticed of others, others notice.
   */
  setPace(times: number): void;
  /** When a member last said something of membership, on the monotonic clock; undefined before it did. */
  heardMs(node: NodeId): number | undefined;
  /** How much of the cluster is in reach, as the last event told: `whole` before any. */
  readonly quorum: QuorumState;
  /** The membership certificate: when it was issued, when it ends (ms since 1970), and whether the newest cluster key signed it. */
  validity(): { readonly issuedMs: number; readonly expiresMs: number; readonly current: boolean };
  /**
   * Somebody said that a node of this cluster listens there, for example multicast DNS. A node that is not known is dialled and tables are
   * compared; what is said of a known one changes nothing. At most 1,024 hints are kept.
   */
  hint(node: NodeId, address: HostPort): void;
  /** What to keep for a later start of kind `member`. A `credentialsChanged` event says when it changed. */
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
  /** Move an agent of this node, by default in rounds while it runs if it is large. @throws `mesh.migration-refused`, `-aborted`, `-fenced`, `-in-progress`, `mesh.not-hosted`. */
  migrate(agent: AgentId, to: NodeId, options?: MigrateOptions): Promise<MigrationReport>;
  /**
   * Roll a move of an agent of this node back. Resolves when the move is over: true when the agent goes on here, false when it was committed
   * already. The move itself fails with `mesh.migration-cancelled`. @throws `mesh.no-migration`.
   */
  cancelMigration(agent: AgentId): Promise<boolean>;
}
