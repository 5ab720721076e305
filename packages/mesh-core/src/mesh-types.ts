/** The words of the mesh: what its parts tell each other. The face of a whole node is in mesh-face.ts. */
import type { AgentId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { HostPort, Signer, TrafficClass } from "@glia-os/abi/ports";
import type { JoinedBytes } from "./codec/joined-bytes.ts";
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
  | {
      readonly kind: "memberUp" | "memberSuspect" | "memberDead" | "memberLeft" | "memberRemoved";
      readonly member: Member;
    }
  /**
   * How much of the cluster this node sees changed: many members are out of reach (`partition`), a majority is (`quorumLost`), or neither
   * any more (`healed`). Counted are voters (docs/spec/membership.md).
   */
  | {
      readonly kind: "partition" | "quorumLost" | "healed";
      readonly reachable: number;
      readonly known: number;
    }
  /** What `credentials()` returns changed: keep it. */
  | { readonly kind: "credentialsChanged" }
  /** A peer proved its membership on a session; `client` peers appear only here. */
  | { readonly kind: "sessionUp"; readonly node: NodeId; readonly role: NodeRole }
  | { readonly kind: "sessionDown"; readonly node: NodeId; readonly reason: string }
  /** A session or message was refused; `code` says why. */
  | { readonly kind: "refused"; readonly node: NodeId; readonly code: string; readonly message: string }
  /** An agent of this node begins to move, and how that ended: the report of a move that was completed, or undefined. */
  | { readonly kind: "migrationBegan"; readonly agent: AgentId; readonly to: NodeId }
  | {
      readonly kind: "migrationEnded";
      readonly agent: AgentId;
      readonly to: NodeId;
      readonly report: MigrationReport | undefined;
    }
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
  /** Join with a line from {@link Mesh.createJoinLine}, or with the first of up to 16 lines of one cluster whose introducer answers. */
  | { readonly kind: "join"; readonly line: string | readonly string[] }
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
  /** Successors of the cluster's root key, in order, when it was rotated. */
  readonly successions?: readonly Uint8Array[];
  /** Removals of nodes, signed by the cluster key. */
  readonly removals?: readonly Uint8Array[];
}

/** How long a replaced cluster key counts: from now, or until a time in milliseconds since 1970. At most 365 days. */
export type KeyOverlap = { readonly overlapMs: number } | { readonly untilMs: number };

/** Who makes a call. */
export interface Caller {
  /** Proven by the session. */
  readonly node: NodeId;
  /** From the caller's membership certificate. */
  readonly role: NodeRole;
  /** The span of the call here, or of the caller, where the call came with one (W3C Trace Context). */
  readonly traceparent?: string;
}

/** What is sent with a call; in parts, where something large would be copied otherwise. */
export type CallBody = Uint8Array | JoinedBytes;

/** Answers calls of one method. Throwing sends the error's record to the caller. */
export type CallHandler = (caller: Caller, body: Uint8Array) => Promise<Uint8Array>;

/** Options of one call. */
export interface CallOptions {
  /** 1 to 600,000. Default 10,000. */
  readonly timeoutMs?: number;
  /** Repeat the request this often until it is answered; only for methods that are safe to repeat. */
  readonly resendMs?: number;
  /** The pause before a repetition doubles each time, up to this many milliseconds. Default: it stays `resendMs`. */
  readonly resendMostMs?: number;
  /** Default `request`. */
  readonly trafficClass?: Exclude<TrafficClass, "datagram">;
  /** The call is a span, which goes with it to the other node: a part of this one (W3C Trace Context), or, where it is `new`, of a trace of its own. */
  readonly traceparent?: string;
}

/** Where an agent is. */
export interface AgentLocation {
  readonly agent: AgentId;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}
