/**
 * What a running node offers: to the program that embeds it, and over the control socket to the command line.
 *
 * N1. Every operation works from any node of the mesh, wherever the agent lives; a `client` node has all of it and hosts nothing.
 * N2. Every refusal is a `GliaError`; nothing is retried behind the caller's back except what is safe to repeat.
 */
import type { AgentId, ClusterId, Epoch, NodeId } from "@glia-os/abi/ids";
import type { AgentStatus, HostPort } from "@glia-os/abi/ports";

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

/** State of one node and its view of the mesh. */
export interface NodeStatus {
  readonly node: NodeId;
  readonly name: string;
  readonly role: NodeRole;
  readonly cluster: ClusterId;
  readonly address: HostPort | undefined;
  /** Which wire is in use, for example `tls-tcp`. */
  readonly transport: string;
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
}

/** One agent as coordination knows it, with what its owner adds when it can be reached. */
export interface AgentView {
  readonly agent: AgentId;
  readonly name: string;
  readonly epoch: Epoch;
  readonly owner: NodeId;
  readonly ownerName: string | undefined;
  readonly status: AgentStatus;
  readonly programHash: string;
  /** From the owner; absent when it did not answer. */
  readonly live: AgentVitals | undefined;
}

/** What to run and where. */
export interface SpawnRequest {
  /** The WebAssembly module. At most 15 MiB. */
  readonly module: Uint8Array;
  /** 1 to 64 of a-z 0-9 - . _ ; unique among living agents. */
  readonly name: string;
  /** The node that hosts it: an id, an unambiguous prefix of at least 6 characters, or a member's name. Default: the node that answers. */
  readonly on?: string;
  /** Imports the module may use, for example `glia.v1`. Default: `glia.v1` only. */
  readonly grants?: readonly string[];
  /** Linear memory limit in 64 KiB pages, 1 to 32,768. */
  readonly memoryPages?: number;
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
  readonly strategy: "stop-and-copy";
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

/** A node, embedded or remote. */
export interface NodeApi {
  /** This node and its members. */
  status(): Promise<NodeStatus>;
  /** A join line that admits `uses` nodes until `ttlMs` from now. Only on a node that holds the cluster key. */
  createJoinLine(options: { readonly ttlMs: number; readonly uses: number }): Promise<string>;
  /** All living agents. */
  listAgents(): Promise<readonly AgentView[]>;
  /** Start an agent. */
  spawn(request: SpawnRequest): Promise<AgentView>;
  /**
   * Send one message to an agent by id or name; resolves when the link accepted it under its window (back-pressure), in order with
   * earlier sends. Delivery is exactly once while the agent lives, also across moves.
   */
  send(agent: string, payload: Uint8Array): Promise<void>;
  /** Send one message and wait for the agent's reply, behind all earlier sends. @throws `mesh.link-timeout`. */
  ask(agent: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Resolves when everything sent to the agent so far is acknowledged. @throws `mesh.link-timeout`. */
  flush(agent: string, timeoutMs: number): Promise<LinkStats>;
  /** Move a running agent to another node. */
  migrate(agent: string, to: string, onPhase?: (phase: MigrationPhase) => void): Promise<MigrationReport>;
  /** End an agent. */
  terminate(agent: string): Promise<void>;
  /**
   * Resolves with the reason if the node can no longer work: one of its threads ended, or, on a `client`, the anchor is gone. Pending while
   * all is well. Nodes that host agents go on without the anchor and say so in their log.
   */
  readonly failed: Promise<Error>;
  /** Leave the mesh and stop everything. Idempotent. */
  stop(): Promise<void>;
}
