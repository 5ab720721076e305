/** What a node tells of itself, its mesh and its agents, and what it is asked for: plain data. */
import type { AgentId, ClusterId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentStatus, HostPort } from "@glia-os/abi/ports";
import type { CellState, CodeVersion, WithoutReplica } from "@glia-os/cells";
import type { MigrateOptions, MigrationReport as Moved } from "@glia-os/mesh-core";
import type { ReplicaView } from "./replica/replica-service.ts";

/** What a node does in the mesh. `client` is admitted, hosts no agents and keeps no records. */
export type NodeRole = "edge" | "relay" | "core" | "client";

/** One member as this node sees it. */
export interface MemberView {
  readonly node: NodeId;
  readonly role: NodeRole;
  /** A short name for people, unique in practice, not checked. */
  readonly name: string;
  readonly address: HostPort | undefined;
  readonly state: "alive" | "suspect" | "dead" | "left";
  /** Whether this member serves coordination for the cluster. */
  readonly anchor: boolean;
  /** Whether this is the node that answers. */
  readonly self: boolean;
}

/** One member in full, and the session with it. */
export interface MemberDetail extends MemberView {
  /** Grows with every start of that node. */
  readonly bootEpoch: number;
  /** Grows with every accusation it refuted. */
  readonly incarnation: number;
  /** The open session with it; undefined when there is none. */
  readonly session: SessionView | undefined;
}

/** A session as people see it. */
export interface SessionView {
  /** What carries each class now: `quic`, `tls-tcp` or `udp`. */
  readonly carriers: { readonly datagram: string; readonly request: string; readonly bulk: string };
  /** Smoothed round trip in milliseconds, once one was measured. */
  readonly rttMs: number | undefined;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** End of the certificate that the peer showed, ms since 1970. */
  readonly certificateUntilMs: number;
}

/** One answered ping. */
export interface PingReport {
  readonly node: NodeId;
  readonly name: string;
  /** From the request until its answer, on the clock of the node that asked. */
  readonly roundTripMs: number;
  /** What carried the request; undefined when the node pinged itself. */
  readonly carrier: string | undefined;
}

/** How messages to an agent or a node go from here. */
export interface RouteReport {
  /** Set for an agent. */
  readonly agent: AgentId | undefined;
  /** What the registry says: a hint. `hops`: how far away the record was; 0 was here. */
  readonly registry: { readonly owner: NodeId; readonly epoch: Epoch; readonly hops: number } | undefined;
  /** What coordination says: the truth; undefined when it does not answer or the target is a node. */
  readonly coordination: { readonly owner: NodeId; readonly epoch: Epoch } | undefined;
  /** The node that messages go to. */
  readonly node: NodeId;
  readonly name: string | undefined;
  readonly state: MemberView["state"] | undefined;
  readonly address: HostPort | undefined;
  /** `here`, over an open session, by dialling, or over relays because the node is dead or unknown to this one. */
  readonly way: "here" | "session" | "dial" | "relays";
  readonly carrier: string | undefined;
  /** Members that could pass messages on. */
  readonly relays: readonly { readonly node: NodeId; readonly name: string }[];
}

/** The certificates of a node. */
export interface CertificateReport {
  /** What peers are shown on every session, in PEM, and its end (ms since 1970). Renewed 30 days before. */
  readonly leaf: { readonly pem: string; readonly notAfterMs: number };
  /** What the cluster's key signed. `current`: with its newest key. */
  readonly membership: { readonly issuedMs: number; readonly expiresMs: number; readonly current: boolean };
  /** Whether this node holds the cluster's key. */
  readonly holdsClusterKey: boolean;
  /** Those that peers showed in open sessions. */
  readonly peers: readonly {
    readonly node: NodeId;
    readonly name: string | undefined;
    readonly notAfterMs: number;
  }[];
}

/** Where messages can go wrong or well: the wire of a node. */
export interface WireView {
  /** `auto`, `quic-only` or `tls-only`. */
  readonly mode: string;
  readonly quic: boolean;
  /** Why QUIC is not in use, when it could be. */
  readonly whyNoQuic: string | undefined;
  /** Open sessions, and how many of them carry requests on QUIC and datagrams on UDP now. */
  readonly sessions: number;
  readonly overQuic: number;
  readonly overUdp: number;
  readonly mdns: boolean;
}

/** How a node judges itself and its mesh. */
export interface MeshHealth {
  /** The profile of the failure detector. */
  readonly profile: string;
  readonly minorityPolicy: string;
  /** 0 (well) to 7: how far this node doubts its own judgement of others. */
  readonly healthScore: number;
  /** `whole`, `partition` (many out of reach) or `lost` (no majority in reach). */
  readonly quorum: "whole" | "partition" | "lost";
  /** Whether the agents' thread stands still: then the lease of this node is not renewed. */
  readonly agentsStalled: boolean;
}

/** One job to run. */
export interface JobRequest {
  /** The exported function of the node's module of jobs. */
  readonly entry: string;
  /** What it is called with: plain data, as JSON has it. */
  readonly payload: unknown;
  /** 1 to 128 characters; left out: a random one. */
  readonly id?: string;
  /** Ids of the jobs this one came from, oldest first: at most 64. */
  readonly lineage?: readonly string[];
  /** Higher ones start first; a whole number from -1,000,000 to 1,000,000. Default 0. */
  readonly priority?: number;
  /** The span this job belongs to (W3C Trace Context). */
  readonly traceparent?: string;
}

/** The jobs of a node: what is here now, and what was since it started. */
export interface JobsView {
  /** Jobs that can run at once. */
  readonly slots: number;
  readonly waiting: number;
  readonly running: number;
  /** Run here, with a result and with an error. */
  readonly finished: number;
  readonly failed: number;
  /** Given to other nodes, taken from them, and taken by them. */
  readonly forwarded: number;
  readonly stolen: number;
  readonly lost: number;
  /** Jobs of this node on others now, and jobs of others here now. */
  readonly given: number;
  readonly held: number;
}

/** State of one node and its view of the mesh. */
export interface NodeStatus {
  readonly node: NodeId;
  readonly name: string;
  readonly role: NodeRole;
  readonly cluster: ClusterId;
  readonly address: HostPort | undefined;
  /** What requests go over where the other side has it too: `quic` or `tls-tcp`. */
  readonly transport: string;
  readonly wire: WireView;
  readonly health: MeshHealth;
  /** Its jobs; undefined on a node without a module of jobs. */
  readonly jobs: JobsView | undefined;
  readonly members: readonly MemberView[];
  /** Agents this node hosts now. */
  readonly hosting: number;
  readonly pid: number;
  readonly uptimeMs: number;
  readonly rssBytes: number;
}

/** What an agent's owner knows about it. */
export interface AgentVitals {
  /** Messages the agent has received in its life, wherever it was. */
  readonly received: number;
  /** Messages waiting in its mailbox. */
  readonly waiting: number;
  /** Repeated messages its present node refused. */
  readonly duplicatesRefused: number;
  /** Linear memory in bytes. */
  readonly memoryBytes: number;
  /** Whether it speaks the messages of `@glia-os/cells/agent`. */
  readonly speaks?: boolean;
  /** Where it stands there: `suspended` by request, `migrating` while it is on its way. */
  readonly state: CellState;
  /** How its replicas stand; absent for an agent that wants none. */
  readonly replica?: ReplicaView;
  /** SHA-256 of the program that it runs now, as hexadecimal. */
  readonly programHash?: string;
  /** What its code says it is; known from its first upgrade on its present node on. */
  readonly code?: CodeVersion;
}

/** One agent as coordination knows it, with what its owner adds when it can be reached. */
export interface AgentView {
  readonly agent: AgentId;
  readonly name: string;
  readonly epoch: Epoch;
  readonly owner: NodeId;
  readonly ownerName: string | undefined;
  /**
   * `suspended`: it stands still by request and takes messages. `failed`: it ended by its own error, takes no messages, and keeps its name until
   * it is terminated. `exported`: it was taken out into a file and stopped. `gone`: its node is not a member any more, or counts as dead; a replica
   * goes on with it, or its node comes back, or it is terminated, which any node may ask for.
   */
  readonly status: AgentStatus | "gone";
  /** Of one that is `gone`: since when its node is away, in milliseconds since 1970, if the node that answers saw it leave. */
  readonly goneSinceMs?: number;
  /** SHA-256 of its program, as hexadecimal; of the one it was started with, when its owner does not answer. */
  readonly programHash: string;
  /** The nodes that may go on with it when its own is gone (docs/availability.md); absent where there is none. */
  readonly replicas?: readonly NodeId[];
  /** Why it failed, while its node knows it. */
  readonly failure?: string;
  /**
   * Its node answered that it does not have it. Absent when that node did not answer, or is about to run it: a move, a takeover. An agent that
   * is `lost` can still be where its `replicas` are.
   */
  readonly lost?: true;
  /** From the owner; absent when it did not answer. */
  readonly live: AgentVitals | undefined;
}

/** What to run and where. */
export interface SpawnRequest {
  /** The WebAssembly module, or the bundle of a durable program. At most 15 MiB. */
  readonly module: Uint8Array;
  /** What the module is. `domain`: one ES module that runs as a durable agent, where the node allows it (docs/durable-agents.md). Default `wasm`. */
  readonly kind?: "wasm" | "domain";
  /** 1 to 64 of a-z 0-9 - . _ ; unique among living agents. */
  readonly name: string;
  /** The node that hosts it: an id, an unambiguous prefix of at least 6 characters, or a member's name. Default: the node that answers. */
  readonly on?: string;
  /** Imports the module may use, for example `glia.v1`. Default: `glia.v1` only. */
  readonly grants?: readonly string[];
  /** Linear memory limit in 64 KiB pages, 1 to 32,768. */
  readonly memoryPages?: number;
  /** `replica`: other nodes keep a copy and go on with it when this one is gone (docs/availability.md). Default `local`. */
  readonly durability?: "local" | "replica";
  /** On how many other nodes, 1 to 4; a number from 1 on asks for `replica`. Default 1 with `replica`. */
  readonly replicas?: number;
  /** What it does while it has no replica: `hold`, the default, acknowledges nothing; `continue` goes on as a local one. */
  readonly withoutReplica?: WithoutReplica;
  /** For an agent of `@glia-os/cells/agent`: what it begins with (docs/spec/agents-service.md). */
  readonly begin?: {
    /** Which definition of its module it is. Default: the one the module exports. */
    readonly definition?: string;
    /** An envelope whose input its `start` gets. */
    readonly input?: unknown;
    /** Who is told when it fails or ends. */
    readonly parent?: { readonly id: string; readonly name?: string };
  };
}

/** How an agent is to be moved. */
export interface MigrateRequest {
  /** `auto`, the default: `pre-copy` for agents with 4 MiB of memory or more. `pre-copy`, `post-copy` and `hybrid` are wishes; the report says what was done. */
  readonly strategy?: NonNullable<MigrateOptions["strategy"]>;
  /** Called with each phase when it is over. */
  readonly onPhase?: (phase: MigrationPhase) => void;
}

/** One phase of a migration. */
export interface MigrationPhase {
  readonly phase: string;
  readonly ms: number;
  readonly bytes: number;
}

/** A migration that was committed. */
export interface MigrationReport {
  readonly agent: AgentId;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly strategy: Moved["strategy"];
  readonly epoch: Epoch;
  /** Bytes of snapshot that crossed the wire. */
  readonly bytes: number;
  /** From the freeze at the source until the destination reported the agent live, on the source's clock. */
  readonly downtimeMs: number;
  readonly phases: readonly MigrationPhase[];
}

/** Counts of one outgoing link. */
export interface LinkStats {
  /** Messages this node accepted for the agent. */
  readonly sent: number;
  /** Messages the agent's node confirmed as in the agent's mailbox, exactly once and in order. */
  readonly acknowledged: number;
  /** Messages put on the wire again because an agent moved or an answer was lost. */
  readonly resent: number;
}
