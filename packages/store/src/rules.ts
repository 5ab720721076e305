/**
 * The rules of coordination over any {@link Tables} (docs/spec/coordination.md). Invariants K1-K5 are those of the port.
 *
 * S1. Every check precedes every write, so a refused request leaves no half of itself behind. The one exception is intended:
 *     a session found expired is removed, for good.
 * S2. A lease is judged on the monotonic clock of the process that performs the request ({@link Leases}): an expiry is never earlier
 *     than promised.
 * S3. The outcome of a mutation is remembered with it, refusals included, so a delayed copy of a refused request cannot
 *     take effect later.
 */
import { hash } from "node:crypto";
import { isGliaError } from "@glia-os/abi/errors";
import { type NodeId, nextEpoch, toEpoch } from "@glia-os/abi/ids";
import type {
  AgentChange,
  AgentRow,
  AgentStatus,
  CasOutcome,
  Clock,
  CoordinationChange,
  NodeSession,
} from "@glia-os/abi/ports";
import {
  AgentExistsError,
  AgentTerminatedError,
  ChangesCompactedError,
  NameTakenError,
  NotReplicaError,
  OwnerAliveError,
  RequestIdReusedError,
  reviveError,
  SessionExpiredError,
  TooManyAgentsError,
  TooManySessionsError,
} from "./errors.ts";
import { Leases } from "./leases.ts";
import type { CoordinationLimits } from "./limits.ts";
import {
  type CoordinationReply,
  type CoordinationRequest,
  type Mutation,
  type MutationReply,
  nodeOfSession,
  sessionIdOf,
} from "./request.ts";
import type { Outcome, StoredSession, Tables } from "./tables.ts";

type RequestOf<Op extends CoordinationRequest["op"]> = Extract<CoordinationRequest, { readonly op: Op }>;

/** The state machine behind every `Coordination` of this package. Synchronous; one caller at a time. */
export class CoordinationRules {
  readonly #tables: Tables;
  readonly #clock: Clock;
  readonly #limits: CoordinationLimits;
  readonly #leases: Leases;

  /** `leases` are given where they outlive the rules. */
  constructor(tables: Tables, clock: Clock, limits: CoordinationLimits, leases: Leases = new Leases(clock)) {
    this.#tables = tables;
    this.#clock = clock;
    this.#limits = limits;
    this.#leases = leases;
    this.reconcile();
  }

  /** Bring what is held in memory in line with the tables: after opening them, and after a rollback (S2). */
  reconcile(): void {
    this.#tables.reread();
    for (const session of this.#tables.sessions()) this.#leases.see(session);
  }

  /** Answer one request. @throws the errors the port names. */
  perform(request: CoordinationRequest): CoordinationReply {
    switch (request.op) {
      case "open-session":
      case "create-agent":
      case "compare-and-swap":
      case "take-over":
        return this.#once(request);
      case "renew-session":
        return this.#renewSession(request.sessionId);
      case "close-session":
        this.#endSession(request.sessionId);
        return null;
      case "get-agent":
        return this.#tables.agent(request.agent) ?? null;
      case "find-agent":
        return this.#tables.agentNamed(request.name) ?? null;
      case "list-agents":
        return this.#tables.liveAgents();
      case "changes-since":
        return this.#changesSince(request.revision, request.limit);
    }
  }

  /** K4 and S3: the first outcome for the same request, a refusal for another one under the same id. */
  #once(request: Mutation): MutationReply {
    const fingerprint = fingerprintOf(request);
    const known = this.#tables.recall(request.requestId);
    if (known !== undefined) {
      if (known.fingerprint !== fingerprint) throw new RequestIdReusedError(request.requestId);
      return replay(known.outcome);
    }
    const outcome = this.#attempt(request);
    this.#tables.remember(request.requestId, { fingerprint, outcome });
    return replay(outcome);
  }

  #attempt(request: Mutation): Outcome {
    try {
      return { value: Object.freeze(this.#mutate(request)) };
    } catch (error) {
      if (!isGliaError(error)) throw error;
      return { refused: { code: error.code, details: error.details } };
    }
  }

  #mutate(request: Mutation): MutationReply {
    if (request.op === "open-session") return this.#openSession(request.node, request.ttlMs);
    if (request.op === "create-agent") return this.#createAgent(request);
    return request.op === "take-over" ? this.#takeOver(request) : this.#compareAndSwap(request);
  }

  #openSession(node: NodeId, ttlMs: number): NodeSession {
    const earlier = this.#tables.sessionOf(node);
    const { sessions } = this.#limits;
    if (earlier === undefined && this.#tables.sessionCount() >= sessions) this.#dropExpired();
    if (earlier === undefined && this.#tables.sessionCount() >= sessions)
      throw new TooManySessionsError(sessions);
    if (earlier !== undefined) this.#endSession(earlier.sessionId);
    const fence = this.#tables.advance("fence");
    const sessionId = sessionIdOf(node, fence);
    const expiresWallMs = this.#clock.wallMs() + ttlMs;
    this.#leases.start(this.#tables.putSession({ sessionId, node, fence, ttlMs, expiresWallMs }));
    return Object.freeze({ sessionId, node, fence, ttlMs });
  }

  #renewSession(sessionId: string): NodeSession {
    const session = this.#liveSession(sessionId);
    if (session === undefined) throw new SessionExpiredError(sessionId);
    const { node, fence, ttlMs } = session;
    this.#leases.start(
      this.#tables.renewSession({ ...session, expiresWallMs: this.#clock.wallMs() + ttlMs }),
    );
    return Object.freeze({ sessionId, node, fence, ttlMs });
  }

  #endSession(sessionId: string): void {
    this.#leases.end(sessionId);
    this.#tables.dropSession(sessionId);
  }

  /** The session if its lease runs; an expired one is removed, so that no restart revives it once it was refused (K3). */
  #liveSession(sessionId: string): StoredSession | undefined {
    const session = this.#tables.session(sessionId);
    if (session !== undefined && this.#leases.live(session)) return session;
    this.#endSession(sessionId);
    return undefined;
  }

  #dropExpired(): void {
    for (const session of this.#tables.sessions())
      if (!this.#leases.live(session)) this.#endSession(session.sessionId);
  }

  #createAgent({ row }: RequestOf<"create-agent">): AgentRow {
    if (this.#tables.agent(row.agent) !== undefined) throw new AgentExistsError(row.agent);
    const holder = this.#tables.agentNamed(row.name);
    if (holder !== undefined) throw new NameTakenError(row.name, holder.agent);
    if (this.#liveSession(row.sessionId) === undefined) throw new SessionExpiredError(row.sessionId);
    const { liveAgents, agentRows } = this.#limits;
    const { rows, live } = this.#tables.agentCounts();
    if (live >= liveAgents) throw new TooManyAgentsError(liveAgents, "agents");
    if (rows >= agentRows) throw new TooManyAgentsError(agentRows, "agent rows, terminated ones included");
    return this.#write({ ...row, epoch: toEpoch(1) });
  }

  /** K1, K2. */
  #compareAndSwap({ agent, expected, change }: RequestOf<"compare-and-swap">): CasOutcome {
    const row = this.#tables.agent(agent);
    if (row === undefined) return { kind: "unknown-agent" };
    if (row.epoch !== expected) return { kind: "conflict", row };
    if (row.status === "terminated") throw new AgentTerminatedError(agent);
    if (this.#liveSession(change.sessionId) === undefined) throw new SessionExpiredError(change.sessionId);
    const replicas = replicasAfter(row, change);
    const { owner, sessionId, status } = change;
    const next = { ...row, owner, sessionId, status, epoch: nextEpoch(row.epoch), replicas };
    return { kind: "committed", row: this.#write(next) };
  }

  /** K6: whether the owner's session is over is judged here, in the step that writes. */
  #takeOver({ agent, expected, change }: RequestOf<"take-over">): CasOutcome {
    const row = this.#tables.agent(agent);
    if (row === undefined) return { kind: "unknown-agent" };
    if (row.epoch !== expected || row.sessionId !== change.from) return { kind: "conflict", row };
    if (row.status === "terminated") throw new AgentTerminatedError(agent);
    if (this.#liveSession(change.sessionId) === undefined) throw new SessionExpiredError(change.sessionId);
    const node = nodeOfSession(change.sessionId);
    const { replicas = [] } = row;
    if (change.status === "running" && !replicas.includes(node)) throw new NotReplicaError(agent, node);
    if (this.#liveSession(row.sessionId) !== undefined) throw new OwnerAliveError(agent, row.sessionId);
    const { sessionId } = change;
    const status = change.status === "terminated" ? change.status : row.status;
    const left = HAS_REPLICAS.includes(status) ? replicas.filter((replica) => replica !== node) : [];
    const taken = { ...row, owner: node, sessionId, status, epoch: nextEpoch(row.epoch), replicas: left };
    return { kind: "committed", row: this.#write(taken) };
  }

  /** K5. */
  #write(row: Omit<AgentRow, "revision">): AgentRow {
    const { agent, epoch, owner, sessionId, status, name, programHash, replicas = [] } = row;
    const revision = this.#tables.advance("revision");
    const written = Object.freeze({
      ...{ agent, epoch, owner, sessionId, status, name, programHash, revision },
      ...(replicas.length === 0 ? {} : { replicas }),
    });
    this.#tables.putAgent(written);
    return written;
  }

  #changesSince(revision: number, limit: number): readonly CoordinationChange[] {
    const oldest = this.#tables.oldestChange();
    if (oldest !== undefined && revision < oldest - 1) {
      throw new ChangesCompactedError(revision, oldest, this.#tables.counter("revision"));
    }
    return this.#tables.changes(revision, limit).map((row) => ({ revision: row.revision, row }));
  }
}

/** What runs nowhere has no replicas. */
const HAS_REPLICAS: readonly AgentStatus[] = ["running", "suspended"];

function replicasAfter(row: AgentRow, { owner, status, replicas }: AgentChange): readonly NodeId[] {
  if (!HAS_REPLICAS.includes(status)) return [];
  if (replicas === undefined) return owner === row.owner ? (row.replicas ?? []) : [];
  return replicas;
}

/** SHA-256 over the operation and its arguments in a fixed order. */
function fingerprintOf(request: Mutation): string {
  return hash("sha256", JSON.stringify(argumentsOf(request)));
}

function argumentsOf(request: Mutation): readonly unknown[] {
  if (request.op === "open-session") return [request.op, request.node, request.ttlMs];
  if (request.op === "create-agent") {
    const { agent, owner, sessionId, status, name, programHash, replicas } = request.row;
    return [request.op, agent, owner, sessionId, status, name, programHash, ...present(replicas)];
  }
  if (request.op === "take-over") {
    const { agent, expected, change } = request;
    return [request.op, agent, expected, change.sessionId, change.from, change.status];
  }
  const { agent, expected, change } = request;
  return [
    ...[request.op, agent, expected, change.owner, change.sessionId, change.status],
    ...present(change.replicas),
  ];
}

/** Nothing for what is left out: requests that an earlier version remembered keep their fingerprint. */
function present(replicas: readonly NodeId[] | undefined): readonly (readonly NodeId[])[] {
  return replicas === undefined ? [] : [replicas];
}

function replay(outcome: Outcome): MutationReply {
  if ("refused" in outcome) throw reviveError(outcome.refused);
  return outcome.value;
}
