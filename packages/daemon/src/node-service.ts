/**
 * A node's operations, on the mesh thread: what {@link NodeApi} offers, made of the mesh, the cells and coordination.
 *
 * NV1. An operation on an agent is performed by its owner: this node itself, or through a call to the owner.
 * NV2. A new agent has a row before it runs, so no agent runs that coordination does not know; a row without an agent is ended again.
 * NV3. A cell that ends by itself ends its row, under the epoch it ran with: an older epoch changes nothing. The row of one that failed says
 *      so: it is listed as failed, with its error while its node knows it, and keeps its name until it is terminated.
 * NV4. A row that is suspended is shown as its owner says: suspended, or running when a change of the row was cut off. One whose owner does
 *      not have the agent failed: builds before rows could say `failed` wrote them so, and an agent that stands still ends with its node.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type AgentId, agentIdOf, type Epoch, type NodeId, parseAgentId } from "@glia-os/abi/ids";
import type { AgentRow, Clock, Digests, Logger, Random, Signer, Timers } from "@glia-os/abi/ports";
import {
  type AgentManifest,
  type CellGate,
  checkManifest,
  checkReplicable,
  decodeManifest,
  encodeManifest,
  MEMORY_PAGES_DEFAULT,
  NotHereError,
  PROGRAM_BYTES_MAX,
  replicaGrant,
} from "@glia-os/cells";
import type {
  AgentLink,
  Caller,
  Member,
  Mesh,
  MigrationReport as MeshMigrationReport,
  Registry,
} from "@glia-os/mesh-core";
import { AgentFailures } from "./agent-failures.ts";
import type { AgentPlace } from "./agent-place.ts";
import { vitalsOf } from "./agent-vitals.ts";
import { spawnThere } from "./agents/agents-calls.ts";
import type { Beginning } from "./agents/agents-office.ts";
import { firstMessage } from "./agents/host-message.ts";
import { madeBefore, nonceOf, runsAlready } from "./domain/child-once.ts";
import type { EndReason } from "./ends/ends-api.ts";
import {
  AgentFailedError,
  MoveUnconfirmedError,
  PayloadTooLargeError,
  ThreadGoneError,
  UnknownAgentError,
} from "./errors.ts";
import { findMember } from "./member-name.ts";
import { type MeshService, viewOf } from "./mesh-service.ts";
import { agentIn, decodeBody, encodeBody, moveIn, NODE_CALLS, type Strategy } from "./node-call.ts";
import type {
  AgentView,
  AgentVitals,
  LinkStats,
  MigrationReport,
  NodeStatus,
  SpawnRequest,
} from "./node-views.ts";
import type { NodeMessages } from "./otel/node-messages.ts";
import type { ReplicaView } from "./replica/replica-service.ts";
import { requestId } from "./request-id.ts";
import { SentLinks } from "./sent-links.ts";

const SPAWN_TIMEOUT_MS = 60_000;
const MIGRATE_TIMEOUT_MS = 60_000;
const VITALS_TIMEOUT_MS = 2000;
/** A call that fails with one of these may have been performed: the registry knows. */
const ANSWER_LOST: ReadonlySet<string> = new Set(["mesh.call-timeout", "mesh.peer-unreachable"]);
/** How long a name that no member has yet may take to become known, and how often to look. */
const NEWS_MS = 2000;
const LOOK_AGAIN_MS = 50;
/** Names kept in memory; when full, all are looked up anew. */
const NAMES_MAX = 1000;
/** The anchor does not answer: what it would have said is unknown. */
const ANCHOR_SILENT = "mesh.anchor-unreachable";
const AGENT_ID = /^[0-9a-f]{32}$/;

/** What a node's operations are made of. */
export interface NodeServiceParts {
  readonly mesh: Mesh;
  /** Absent on a client. */
  readonly gate: CellGate | undefined;
  readonly signer: Signer;
  readonly digests: Digests;
  readonly random: Random;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** An agent with this parent is about to run here. */
  readonly began?: (agent: AgentId, parent: string | undefined) => void;
  /** An agent of this node ended. */
  readonly ended?: (agent: AgentId, reason: EndReason, why: string | undefined) => unknown;
  /** How the replica of an agent here stands; undefined for one without. `arriving`: whether an agent is being taken over. */
  readonly replica?: (agent: AgentId) => ReplicaView | undefined;
  readonly arriving?: (agent: AgentId) => boolean | undefined;
  /** Since when a member is away, in milliseconds since 1970; undefined where that is not known. */
  readonly awaySince?: (node: NodeId) => number | undefined;
  /** The spans of messages, where somebody traces. */
  readonly traced?: NodeMessages | undefined;
  /** The session rows are written under. */
  readonly sessionId: () => string;
}

/** The operations of one node. */
export class NodeService {
  readonly #parts: NodeServiceParts;
  readonly #startedMs: number;
  readonly #names = new Map<string, AgentId>();
  readonly #lookups = new Map<string, Promise<AgentId>>();
  readonly #failures = new AgentFailures();
  readonly #sent = new SentLinks();
  #mesh: Pick<MeshService, "wire" | "health" | "jobs"> | undefined;

  constructor(parts: NodeServiceParts) {
    this.#parts = parts;
    this.#startedMs = parts.clock.monotonicMs();
    this.#answerCalls(parts.mesh);
  }

  /** What `status` says of the mesh comes from there. */
  describe(mesh: Pick<MeshService, "wire" | "health" | "jobs">): void {
    this.#mesh = mesh;
  }

  status(): Omit<NodeStatus, "rssBytes" | "pid"> {
    const { mesh, gate, clock } = this.#parts;
    if (this.#mesh === undefined) throw new ThreadGoneError();
    const members = mesh.members().map((member) => viewOf(member, mesh));
    const self = members.find((member) => member.self);
    const wire = this.#mesh.wire();
    return {
      node: mesh.self,
      name: self?.name ?? "client",
      role: self?.role ?? "client",
      cluster: mesh.cluster,
      address: mesh.address,
      transport: wire.quic ? "quic" : "tls-tcp",
      wire,
      health: this.#mesh.health(),
      jobs: this.#mesh.jobs(),
      members,
      hosting: gate?.size ?? 0,
      uptimeMs: clock.monotonicMs() - this.#startedMs,
    };
  }

  createJoinLine(options: { readonly ttlMs: number; readonly uses: number }): string {
    return this.#parts.mesh.createJoinLine(options);
  }

  async listAgents(): Promise<readonly AgentView[]> {
    const rows = await this.#parts.mesh.coordination.listAgents();
    return Promise.all(rows.map((row) => this.view(row)));
  }

  async spawn(request: SpawnRequest): Promise<AgentView> {
    const { mesh } = this.#parts;
    const bytes = request.module.length;
    if (bytes > PROGRAM_BYTES_MAX) throw new PayloadTooLargeError("The module", bytes, PROGRAM_BYTES_MAX);
    const manifest = checkManifest({
      name: request.name,
      program: request.module,
      grants: grantsOf(request),
      memoryPages: request.memoryPages ?? MEMORY_PAGES_DEFAULT,
      ...(request.kind === undefined ? {} : { kind: request.kind }),
    });
    checkReplicable(manifest);
    const target = request.on === undefined ? mesh.self : (await this.#member(request.on)).node;
    if (target === mesh.self) return this.view(await this.spawnHere(manifest, request.begin));
    if (request.begin !== undefined)
      return this.view(await spawnThere(mesh, target, manifest, request.begin));
    const answer = await mesh.call(target, NODE_CALLS.spawn, encodeManifest(manifest), {
      timeoutMs: SPAWN_TIMEOUT_MS,
      traceparent: "new",
    });
    return this.view(decodeBody(answer) as AgentRow);
  }

  send(agent: string, payload: Uint8Array): Promise<void> {
    const { traced } = this.#parts;
    return this.#onLink(agent, (link) => {
      const leaves = traced?.leaving(link.agent, payload) ?? payload;
      return this.#sent.sendsOn(link).send(leaves);
    });
  }

  ask(agent: string, payload: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { traced } = this.#parts;
    return this.#onLink(agent, (link) => {
      if (traced === undefined) return link.ask(payload, timeoutMs);
      return traced.ask(link.agent, payload, (leaves) => link.ask(leaves, timeoutMs));
    });
  }

  async flush(agent: string, timeoutMs: number): Promise<LinkStats> {
    const stats = await this.#onLink(agent, (link) => this.#sent.flushed(link).flush(timeoutMs));
    const { sent, acknowledged, resent } = stats;
    return { sent, acknowledged, resent };
  }

  async migrate(text: string, to: string, strategy: Strategy = "auto"): Promise<MigrationReport> {
    const { mesh } = this.#parts;
    const agent = await this.#resolve(text);
    const destination = (await this.#member(to)).node;
    const { owner, epoch } = await this.#row(text, agent);
    if (owner === mesh.self) return reportOf(await mesh.migrate(agent, destination, { strategy }));
    const body = encodeBody({ agent, to: destination, strategy });
    try {
      const answer = await mesh.call(owner, NODE_CALLS.migrate, body, {
        timeoutMs: MIGRATE_TIMEOUT_MS,
        traceparent: "new",
      });
      return decodeBody(answer) as MigrationReport;
    } catch (error) {
      if (!ANSWER_LOST.has(errorCodeOf(error) ?? "")) throw error;
      const now = await this.#row(text, agent);
      if (now.epoch === epoch) throw error;
      throw new MoveUnconfirmedError(agent, now.owner, now.epoch, error);
    }
  }

  async terminate(text: string): Promise<void> {
    const { mesh } = this.#parts;
    const agent = await this.#resolve(text);
    const row = await this.#row(text, agent, true);
    if (row.owner === mesh.self) await this.#terminateHere(agent);
    else if (isThere(mesh, row.owner))
      await mesh.call(row.owner, NODE_CALLS.terminate, encodeBody({ agent }), { traceparent: "new" });
    else await this.#endGone(row);
  }

  /** End the agent of a node that is gone: coordination allows it once the lease of that node is over (K6). */
  async #endGone({ agent, epoch, sessionId: from }: AgentRow): Promise<void> {
    const { mesh, random, sessionId } = this.#parts;
    const change = { sessionId: sessionId(), from, status: "terminated" } as const;
    await mesh.coordination.takeOver(agent, epoch, change, requestId(random));
  }

  /** End the row of a cell that ended by itself, or failed with an error (NV3). */
  async endRow(
    agent: AgentId,
    epoch: AgentRow["epoch"],
    failure?: string,
    reason: EndReason = failure === undefined ? "stopped" : "failed",
  ): Promise<boolean> {
    void this.#parts.ended?.(agent, reason, failure);
    const { mesh, random, logger, sessionId } = this.#parts;
    if (failure !== undefined) this.#failures.add(agent, failure);
    const status = failure === undefined ? "terminated" : "failed";
    const change = { owner: mesh.self, sessionId: sessionId(), status } as const;
    const outcome = await mesh.coordination
      .compareAndSwap(agent, epoch, change, requestId(random))
      .catch((error: unknown) => {
        logger.log("warn", "row of an ended agent not ended", { agent, code: errorCodeOf(error) });
      });
    if (failure === undefined) await this.#parts.gate?.terminate(agent).catch(() => undefined); // What is left of it on the disk.
    return outcome?.kind === "committed";
  }

  /** The row of a living agent, by name or id. @throws {UnknownAgentError}, {AgentFailedError} */
  async find(text: string, mayHaveFailed = false): Promise<AgentRow> {
    return this.#row(text, await this.#resolve(text), mayHaveFailed);
  }

  /** The node that a name, id or prefix means. @throws {UnknownNodeError}, {AmbiguousNodeError} */
  async member(text: string): Promise<NodeId> {
    return (await this.#member(text)).node;
  }

  /** A row as people see it, with what its owner adds. */
  async view(row: AgentRow): Promise<AgentView> {
    const { agent, name, epoch, owner, status, programHash, replicas } = row;
    const ownerName = this.#parts.mesh.members().find(({ node }) => node === owner)?.name;
    const named = replicas === undefined ? {} : { replicas };
    const found = await this.#vitals(row);
    const failure = found && "failure" in found ? found.failure : undefined;
    const live = found && "failure" in found ? undefined : (found ?? undefined);
    const ownHash = live?.programHash ?? programHash;
    const runs = status === "running" || status === "suspended";
    const lost = runs && found !== undefined && live === undefined;
    const facts = {
      agent,
      name,
      epoch,
      owner,
      ownerName,
      programHash: ownHash,
      ...named,
      ...(lost && { lost }),
    };
    const now = lost ? await this.#parts.mesh.coordination.getAgent(agent) : undefined;
    if (now !== undefined && now.epoch !== epoch) return this.view(now); // It moved while its former owner was asked.
    if (runs && found === undefined && !isThere(this.#parts.mesh, owner))
      return { ...facts, status: "gone", live: undefined, ...this.#awaySince(owner) };
    if (status === "failed" || (lost && status === "suspended"))
      return { ...facts, status: "failed", live: undefined, ...(failure === undefined ? {} : { failure }) };
    if (status === "suspended" && live !== undefined)
      return { ...facts, status: live.state === "running" ? "running" : status, live };
    return { ...facts, status, live };
  }

  #awaySince(owner: NodeId): Pick<AgentView, "goneSinceMs"> {
    const goneSinceMs = this.#parts.awaySince?.(owner);
    return goneSinceMs === undefined ? {} : { goneSinceMs };
  }

  /** Whether the anchor answers, for the anchor watch. */
  async pingAnchor(timeoutMs: number): Promise<void> {
    const { mesh } = this.#parts;
    await mesh.call(mesh.anchor, NODE_CALLS.ping, encodeBody(null), { timeoutMs });
  }

  /** Where an agent is, by name or id: the truth, or the hint while the anchor does not answer. */
  async place(text: string): Promise<AgentPlace | undefined> {
    const { coordination } = this.#parts.mesh;
    const isId = AGENT_ID.test(text);
    const [hint, row] = await Promise.all([
      isId ? this.#registry()?.find(parseAgentId(text)) : this.#registry()?.findByName(text),
      this.#orNothing(isId ? coordination.getAgent(parseAgentId(text)) : coordination.findAgent(text)),
    ]);
    const truth = ownerOf(row);
    const agent = row?.agent ?? hint?.record.agent;
    const owner = truth?.owner ?? hint?.record.owner;
    if (agent === undefined || owner === undefined || row?.status === "terminated") return undefined;
    const registry = hint && { owner: hint.record.owner, epoch: hint.record.epoch, hops: hint.hops };
    return { agent, owner, registry, coordination: truth };
  }

  /** By name; while the anchor does not answer the registry's hint does. */
  async #findAgent(name: string): Promise<Pick<AgentRow, "agent"> | undefined> {
    try {
      return await this.#parts.mesh.coordination.findAgent(name);
    } catch (error) {
      const hint =
        errorCodeOf(error) === ANCHOR_SILENT ? await this.#registry()?.findByName(name) : undefined;
      if (hint === undefined) throw error;
      return hint.record;
    }
  }

  async #orNothing<Row>(asked: Promise<Row | undefined>): Promise<Row | undefined> {
    try {
      return await asked;
    } catch (error) {
      if (errorCodeOf(error) === ANCHOR_SILENT) return undefined;
      throw error;
    }
  }

  #registry(): Registry | undefined {
    const { mesh } = this.#parts;
    return mesh.parts().includes("registry") ? mesh.part("registry") : undefined;
  }

  #answerCalls(mesh: Mesh): void {
    mesh.handle(NODE_CALLS.ping, async () => encodeBody(null));
    if (this.#parts.gate === undefined) return;
    const answers = (method: string, act: (body: Uint8Array, caller: Caller) => Promise<unknown>): void =>
      mesh.handle(method, async (caller, body) => encodeBody(await act(body, caller)));
    answers(NODE_CALLS.spawn, (body) => this.spawnHere(decodeManifest(body)));
    answers(NODE_CALLS.vitals, (body) => this.#vitalsHere(agentIn(body)));
    answers(NODE_CALLS.terminate, (body) => this.#terminateHere(agentIn(body)));
    answers(NODE_CALLS.migrate, async (body) => {
      const { agent, to, strategy } = moveIn(body);
      return reportOf(await mesh.migrate(agent, to, { strategy }));
    });
  }

  /** Make an agent on a member, by name, or here. */
  async spawnOn(manifest: AgentManifest, on: string | undefined, beginning: Beginning): Promise<AgentRow> {
    const { mesh } = this.#parts;
    const target = on === undefined ? mesh.self : (await this.#member(on)).node;
    if (target === mesh.self) return this.spawnHere(checkManifest(manifest), beginning);
    return spawnThere(mesh, target, checkManifest(manifest), beginning);
  }

  /** Make an agent on this node; one that speaks with others learns first who it is. */
  async spawnHere(manifest: AgentManifest, beginning: Beginning = {}): Promise<AgentRow> {
    const { mesh, gate, signer, digests, random, sessionId } = this.#parts;
    if (gate === undefined) throw new UnknownAgentError(manifest.name);
    const programHash = await gate.checkProgram(manifest.program, manifest.grants, manifest.kind);
    const { key, ...opening } = beginning;
    const nonce = key === undefined ? random.bytes(new Uint8Array(16)) : nonceOf(key, digests.sha256);
    const manifestHash = digests.sha256(encodeManifest(manifest));
    const agent = agentIdOf({ ownerKey: signer.publicKey, nonce, manifestHash }, digests.sha256);
    const before = key === undefined ? undefined : await madeBefore(agent, mesh, gate);
    if (before?.runs === true) return before.row;
    const facts = { agent, owner: mesh.self, sessionId: sessionId(), status: "running" as const };
    const row =
      before?.row ??
      (await mesh.coordination.createAgent(
        { ...facts, name: manifest.name, programHash },
        requestId(random),
      ));
    try {
      this.#parts.began?.(agent, opening.parent?.id);
      await gate.start(agent, row.epoch, manifest, firstMessage(agent, manifest, opening));
    } catch (error) {
      if (key !== undefined && runsAlready(error)) return row;
      await this.endRow(agent, row.epoch);
      throw error;
    }
    return row;
  }

  async #terminateHere(agent: AgentId): Promise<null> {
    const { gate, mesh } = this.#parts;
    const report = await gate?.report(agent);
    const row = await mesh.coordination.getAgent(agent);
    await gate?.terminate(agent);
    this.#failures.delete(agent);
    for (const [name, id] of this.#names) if (id === agent) this.#names.delete(name);
    if (row !== undefined && row.owner === mesh.self)
      await this.endRow(agent, report?.epoch ?? row.epoch, undefined, "killed");
    return null;
  }

  async #vitalsHere(agent: AgentId): Promise<AgentVitals | Failed | null> {
    const { gate, arriving } = this.#parts;
    const report = await gate?.report(agent);
    if (report === undefined && (gate?.stands(agent) ?? arriving?.(agent))) throw new NotHereError(agent);
    const failure = this.#failures.of(agent);
    if (report === undefined) return failure === undefined ? null : { failure };
    return vitalsOf(report, this.#parts.replica?.(agent));
  }

  /** Null when the owner does not have it; undefined when the owner is silent, or about to have it. */
  async #vitals({ agent, owner }: AgentRow): Promise<AgentVitals | Failed | null | undefined> {
    const { mesh } = this.#parts;
    try {
      if (owner === mesh.self) return await this.#vitalsHere(agent);
      if (!isThere(mesh, owner)) return undefined;
      const options = { timeoutMs: VITALS_TIMEOUT_MS };
      const answer = await mesh.call(owner, NODE_CALLS.vitals, encodeBody({ agent }), options);
      return decodeBody(answer) as AgentVitals | Failed | null;
    } catch {
      return undefined; // The row is still true; only what its owner would add is missing.
    }
  }

  /** The member that `text` means; one that is new in the mesh gets a moment for its news to arrive here. */
  async #member(text: string): Promise<Member> {
    const { mesh, clock, timers } = this.#parts;
    for (const untilMs = clock.monotonicMs() + NEWS_MS; ; ) {
      try {
        return findMember(mesh.members(), text);
      } catch (error) {
        if (errorCodeOf(error) !== "daemon.unknown-node" || clock.monotonicMs() >= untilMs) throw error;
        await new Promise<void>((resolve) => timers.schedule(LOOK_AGAIN_MS, resolve));
      }
    }
  }

  /** The link to an agent; a name is looked up once and kept until the agent turns out to be gone. */
  async #onLink<Result>(text: string, act: (link: AgentLink) => Promise<Result>): Promise<Result> {
    try {
      return await act(this.#parts.mesh.link(await this.#resolve(text)));
    } catch (error) {
      if (errorCodeOf(error) !== "mesh.agent-unknown") throw error;
      const agent = this.#names.get(text) ?? (AGENT_ID.test(text) ? parseAgentId(text) : undefined);
      this.#names.delete(text);
      const row = agent && (await this.#orNothing(this.#parts.mesh.coordination.getAgent(agent)));
      throw (await this.#failureIn(row)) ?? error;
    }
  }

  /** That an agent failed, if its row says so. */
  async #failureIn(row: AgentRow | undefined): Promise<AgentFailedError | undefined> {
    if (row?.status !== "suspended" && row?.status !== "failed") return undefined;
    const { status, failure } = await this.view(row);
    return status === "failed" ? new AgentFailedError(row.name, failure) : undefined;
  }

  /** The truth about a living agent: locations in the cache are hints, and acting on an agent needs its owner. */
  async #row(text: string, agent: AgentId, mayHaveFailed = false): Promise<AgentRow> {
    const row = await this.#parts.mesh.coordination.getAgent(agent);
    if (row === undefined || row.status === "terminated") throw new UnknownAgentError(text);
    const failure = mayHaveFailed ? undefined : await this.#failureIn(row);
    if (failure !== undefined) throw failure;
    return row;
  }

  /** 32 hexadecimal characters are an id and never looked up as a name. */
  async #resolve(text: string): Promise<AgentId> {
    if (AGENT_ID.test(text)) return parseAgentId(text);
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    // One look-up for all who ask at once: with one each, a later message could overtake an earlier one.
    const lookup = this.#lookups.get(text) ?? this.#lookUp(text);
    this.#lookups.set(text, lookup);
    return lookup;
  }

  async #lookUp(text: string): Promise<AgentId> {
    try {
      const row = await this.#findAgent(text);
      if (row === undefined) throw new UnknownAgentError(text);
      if (this.#names.size >= NAMES_MAX) this.#names.clear();
      this.#names.set(text, row.agent);
      return row.agent;
    } finally {
      this.#lookups.delete(text);
    }
  }
}

/** What a node tells of an agent of it that failed. */
interface Failed {
  readonly failure: string;
}

/** Whether a node is a member that is not thought dead. */
function isThere(mesh: Mesh, node: NodeId): boolean {
  const state = mesh.members().find((member) => member.node === node)?.state;
  return state === "alive" || state === "suspect";
}

/** What a new agent is granted; the wish for replicas is one of the grants (docs/spec/replica.md). */
function grantsOf({ grants, kind, durability, replicas, withoutReplica = "hold" }: SpawnRequest): string[] {
  const asked = [...(grants ?? (kind === "domain" ? [] : ["glia.v1"]))];
  const count = replicas ?? (durability === "replica" ? 1 : undefined);
  return count === undefined ? asked : [...asked, replicaGrant({ without: withoutReplica, count })];
}

function ownerOf(row: AgentRow | undefined): { readonly owner: NodeId; readonly epoch: Epoch } | undefined {
  return row === undefined || row.status === "terminated"
    ? undefined
    : { owner: row.owner, epoch: row.epoch };
}

/** The report as people and programs outside see it: phases by duration. */
function reportOf(report: MeshMigrationReport): MigrationReport {
  const { agent, from, to, strategy, epoch, bytes, downtimeMs } = report;
  const phases = report.phases.map(({ phase, startedMs, endedMs, bytes: crossed }) => ({
    phase,
    ms: endedMs - startedMs,
    bytes: crossed,
  }));
  return { agent, from, to, strategy, epoch, bytes, downtimeMs, phases };
}
