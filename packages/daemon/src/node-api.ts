/**
 * What a running node offers: to the program that embeds it, and over the control socket to the command line.
 *
 * N1. Every operation works from any node of the mesh, wherever the agent lives; a `client` node has all of it and hosts nothing.
 * N2. Every refusal is a `GliaError`; nothing is retried behind the caller's back except what is safe to repeat.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { AgentsApi } from "./agents/agents-api.ts";
import type { EndsApi } from "./ends/ends-api.ts";
import type { JobApi } from "./jobs/job-api.ts";
import type { LogsApi } from "./logs/logs-service.ts";
import type { MovementApi } from "./movement/movement-api.ts";
import type {
  AgentView,
  CertificateReport,
  JobRequest,
  LinkStats,
  MemberDetail,
  MigrateRequest,
  MigrationReport,
  NodeStatus,
  PingReport,
  RouteReport,
  SpawnRequest,
} from "./node-views.ts";
import type { QueueApi } from "./queue/queue-api.ts";
import type { SurveyApi } from "./survey/survey-service.ts";
import type { UpgradeApi } from "./upgrade/upgrade-api.ts";

/** A node, embedded or remote. */
export interface NodeApi
  extends EndsApi,
    QueueApi,
    SurveyApi,
    LogsApi,
    MovementApi,
    UpgradeApi,
    AgentsApi,
    JobApi {
  /** This node and its members. */
  status(): Promise<NodeStatus>;
  /** A join line that admits `uses` nodes until `ttlMs` from now. Only on a node that holds the cluster key. */
  createJoinLine(options: { readonly ttlMs: number; readonly uses: number }): Promise<string>;
  /** Members in full, with the sessions of this node. */
  members(): Promise<readonly MemberDetail[]>;
  /** Ask a node to answer, over the mesh, also one that counts as dead. @throws `daemon.unknown-node`, `mesh.call-timeout`, `mesh.peer-unreachable`. */
  ping(node: string, timeoutMs: number): Promise<PingReport>;
  /** How messages to an agent (name or id) or a node (name, id or prefix) go from here. An agent's name wins. */
  route(target: string): Promise<RouteReport>;
  /**
   * Remove a node from the cluster for good: by name, prefix, or its whole id if it is not known here. Only on a node that holds the cluster key.
   */
  removeNode(node: string): Promise<{ readonly node: NodeId; readonly name: string | undefined }>;
  /** The certificates of this node and of its peers. */
  certificates(): Promise<CertificateReport>;
  /** Show a fresh certificate on new sessions from now on; those that are open go on. */
  rotateCertificate(): Promise<{ readonly previousNotAfterMs: number; readonly notAfterMs: number }>;
  /**
   * Replace the cluster's key; what the old one signed counts for `overlapMs` more (0 to 30 days). Only on a node that holds the key. A rotation that
   * was cut off goes on instead, until the time it had.
   */
  rotateClusterKey(options: { readonly overlapMs: number }): Promise<{ readonly untilMs: number }>;
  /** Everything this node measured, as text for Prometheus (docs/spec/metrics.md). */
  metrics(): Promise<string>;
  /**
   * Run a job on this node or, when another is idle and this one is not, there; settles exactly once. A job whose node died runs again, at most
   * three times in all. @throws what the job threw, as data; `daemon.no-jobs`, `overlay.job-refused`, `overlay.job-unknown`.
   */
  submitJob(job: JobRequest): Promise<unknown>;
  /** Keep bytes (at most 15 MiB) as a blob of this node; its name is the hash of its content. Not on a client. */
  putBlob(bytes: Uint8Array): Promise<string>;
  /** The bytes of a blob, from this node or from members that have it, verified, and kept here. @throws `overlay.blob-not-found`. */
  getBlob(hash: string): Promise<Uint8Array>;
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
  migrate(agent: string, to: string, options?: MigrateRequest): Promise<MigrationReport>;
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
