/**
 * One node of the mesh: sessions, admission, membership, calls, the anchor protocol, links and moves, composed over the ports.
 *
 * ME1. Every message of an admitted peer goes to exactly one part, by its kind; a client's messages reach only calls and links.
 * ME2. `start` resolves when this node holds a certificate and, unless it founded the cluster, has heard a member's table.
 * ME3. After `stop` nothing is sent, no timer does anything, and every pending promise has settled.
 */
import { type AgentId, type ClusterId, type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Coordination, HostPort, TimerHandle, TrafficClass } from "@glia-os/abi/ports";
import { formatAddress } from "./admission/join-line.ts";
import { Standing } from "./admission/standing.ts";
import { AnchorClient } from "./anchor/client.ts";
import { AnchorServer } from "./anchor/server.ts";
import type { Envelope } from "./codec/envelope.ts";
import { checkConfig } from "./config.ts";
import {
  IntroducerUnreachableError,
  JoinTimeoutError,
  MeshStoppedError,
  MigrationRefusedError,
  ProtocolViolationError,
  UnknownMemberError,
} from "./errors.ts";
import type { AgentLink } from "./links/agent-link.ts";
import { Links } from "./links/links.ts";
import { Membership } from "./membership/membership.ts";
import { membershipParameters } from "./membership/parameters.ts";
import { Statements } from "./membership/statement.ts";
import type {
  AgentLocation,
  CallHandler,
  CallOptions,
  Credentials,
  Member,
  Mesh,
  MeshConfig,
  MeshEvent,
  MeshPorts,
} from "./mesh-types.ts";
import { Arrivals } from "./migration/arrivals.ts";
import { Departures } from "./migration/departures.ts";
import { MOVE_METHODS, numberAnswer, readMove } from "./migration/messages.ts";
import type { MigrationReport } from "./migration/phase.ts";
import { type Peer, Sessions } from "./peers/sessions.ts";
import { Calls } from "./rpc/calls.ts";

const JOIN_MS = 10_000;
const DEADLINE_MS = 30_000;
const HINTS_MAX = 1024;

/** Compose a node. Nothing happens before `start`. @throws {InvalidOptionError}. */
export function createMesh(ports: MeshPorts, config: MeshConfig): Mesh {
  return new MeshNode(ports, config);
}

class MeshNode implements Mesh {
  readonly self: NodeId;
  readonly coordination: Coordination;
  readonly #ports: MeshPorts;
  readonly #config: MeshConfig;
  readonly #listeners = new Set<(event: MeshEvent) => void>();
  readonly #standing: Standing;
  readonly #calls: Calls;
  readonly #links: Links;
  readonly #departures: Departures | undefined;
  readonly #arrivals: Arrivals | undefined;
  readonly #hints = new Map<NodeId, HostPort>();
  #sessions: Sessions | undefined;
  #membership: Membership | undefined;
  #address: HostPort | undefined;
  #sessionId = "";
  #heardTable: (() => void) | undefined;
  #state: "new" | "running" | "stopped" = "new";

  constructor(ports: MeshPorts, config: MeshConfig) {
    this.self = nodeIdOf(ports.signer.publicKey, ports.digests.sha256);
    checkConfig(ports, config, this.self);
    this.#ports = ports;
    this.#config = config;
    this.#standing = new Standing({ ...ports, ...config, certificateTtlMs: config.certificateTtlMs });
    const { timers, random } = ports;
    const send = (node: NodeId, trafficClass: TrafficClass, envelope: Envelope): boolean =>
      this.#sessions?.send(node, trafficClass, envelope) ?? false;
    this.#calls = new Calls({
      self: { node: this.self, role: config.role },
      timers,
      random: random.fork("calls"),
      send,
    });
    this.coordination = this.#serveOrAsk();
    this.#links = new Links({
      self: this.self,
      timers,
      random: random.fork("links"),
      cells: ports.cells,
      coordination: () => this.coordination,
      send: (node, envelope) => this.#sendLink(node, envelope),
      congested: (node) => node !== this.self && this.#sessions?.congested(node) === true,
      addressHint: (node, address) => this.#hint(node, address),
    });
    const { cells } = ports;
    this.#departures = cells === undefined ? undefined : this.#buildDepartures(cells);
    this.#arrivals = cells === undefined ? undefined : this.#buildArrivals(cells);
    for (const [method, handler] of this.#arrivals?.methods() ?? []) this.#calls.handle(method, handler);
    this.#calls.handle(MOVE_METHODS.status, async (_caller, body) =>
      numberAnswer(this.#departures?.underWay(readMove(body)) === true ? 1 : 0),
    );
  }

  get cluster(): ClusterId {
    return this.#standing.known().cluster;
  }

  get anchor(): NodeId {
    return this.#standing.known().anchor;
  }

  get address(): HostPort | undefined {
    return this.#address;
  }

  async start(): Promise<void> {
    if (this.#state !== "new") throw new MeshStoppedError();
    this.#state = "running";
    const { transport, timers } = this.#ports;
    const { bind, advertise, role } = this.#config;
    this.#standing.prepare();
    this.#sessions = new Sessions({
      transport,
      timers,
      admission: this.#standing,
      addressOf: (node) => this.#membership?.member(node)?.address ?? this.#hints.get(node),
      onEnvelope: (peer, trafficClass, envelope) => this.#receive(peer, trafficClass, envelope),
      onUp: ({ node, role: theirs }) => this.#emit({ kind: "sessionUp", node, role: theirs }),
      onDown: ({ node }, reason) => this.#lost(node, reason),
      onDrained: (node) => this.#links.drained(node),
      onUnreachable: (node, cause) => this.#unreachable(node, cause),
      onRefused: (node, error) => this.#refused(node, error),
    });
    try {
      if (role !== "client" && bind !== undefined) {
        const bound = await transport.listen(bind);
        this.#address = advertise ?? { host: bound.host, port: bound.port };
      }
      await this.#enter();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#state === "stopped") return;
    const ran = this.#state === "running";
    if (ran && this.#membership !== undefined) await this.#links.close();
    this.#state = "stopped";
    this.#membership?.leave();
    this.#links.stop();
    this.#departures?.stop();
    this.#arrivals?.stop();
    this.#calls.stop();
    this.#sessions?.stop();
    if (ran) await this.#ports.transport.close();
    this.#listeners.clear();
  }

  members(): readonly Member[] {
    return this.#membership?.members() ?? [];
  }

  onEvent(listen: (event: MeshEvent) => void): () => void {
    this.#listeners.add(listen);
    return () => this.#listeners.delete(listen);
  }

  createJoinLine({ ttlMs, uses }: { readonly ttlMs: number; readonly uses: number }): string {
    return this.#standing.createJoinLine(this.#address, ttlMs, uses);
  }

  credentials(): Credentials {
    return this.#standing.required();
  }

  setSessionId(sessionId: string): void {
    this.#sessionId = sessionId;
  }

  async call(node: NodeId, method: string, body: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    const reachable = node === this.self || this.#sessions?.has(node) === true || this.#knows(node);
    if (!reachable && options.resendMs === undefined) throw new UnknownMemberError(node);
    return this.#calls.call(node, method, body, options);
  }

  handle(method: string, handler: CallHandler): void {
    this.#calls.handle(method, handler);
  }

  link(agent: AgentId): AgentLink {
    if (this.#state !== "running") throw new MeshStoppedError();
    return this.#links.open(agent);
  }

  pushReply(to: NodeId, reply: { agent: AgentId; link: string; seq: number; payload: Uint8Array }): void {
    const { agent, link, seq, payload } = reply;
    this.#links.pushReply(to, agent, link, { seq, payload });
  }

  async locate(agent: AgentId): Promise<AgentLocation> {
    return this.#links.locate(agent);
  }

  async migrate(agent: AgentId, to: NodeId): Promise<MigrationReport> {
    if (this.#state !== "running" || this.#departures === undefined) throw new MeshStoppedError();
    const target = this.#membership?.member(to);
    if (target === undefined) throw new UnknownMemberError(to);
    if (target.state === "dead" || target.state === "left")
      throw new MigrationRefusedError(agent, `the destination is ${target.state}`);
    return this.#departures.migrate(agent, to);
  }

  #serveOrAsk(): Coordination {
    const { coordination: engine } = this.#ports;
    const call = (
      node: NodeId,
      method: string,
      body: Uint8Array,
      options: CallOptions,
    ): Promise<Uint8Array> => this.#calls.call(node, method, body, options);
    const { anchorTimeoutMs } = this.#config;
    const client = new AnchorClient({
      target: () => this.#standing.known(),
      call,
      ...(anchorTimeoutMs === undefined ? {} : { timeoutMs: anchorTimeoutMs }),
    });
    if (engine === undefined) return client;
    const server = new AnchorServer(engine, this.#ports.digests, () => {
      const record = this.#standing.clusterRecord();
      return record?.anchor === this.self ? record : undefined;
    });
    for (const [method, handler] of server.methods()) this.#calls.handle(method, handler);
    return engine;
  }

  #buildDepartures(cells: NonNullable<MeshPorts["cells"]>): Departures {
    const { clock, timers, random, digests } = this.#ports;
    return new Departures({
      self: this.self,
      clock,
      timers,
      random: random.fork("moves"),
      digests,
      cells,
      deadlineMs: this.#config.migrationDeadlineMs ?? DEADLINE_MS,
      coordination: () => this.coordination,
      sessionId: () => this.#sessionId,
      addressOf: (node) => this.#membership?.member(node)?.address,
      call: (node, method, body, options) => this.#calls.call(node, method, body, options),
      onPhase: (agent, to, phase) => this.#emit({ kind: "migrationPhase", agent, to, phase }),
      onMoved: (moved) => this.#links.moved(moved),
      onResumed: (agent) => this.#links.resumed(agent),
    });
  }

  #buildArrivals(cells: NonNullable<MeshPorts["cells"]>): Arrivals {
    const { clock, timers, digests } = this.#ports;
    return new Arrivals({
      self: this.self,
      clock,
      timers,
      digests,
      cells,
      coordination: () => this.coordination,
      sessionId: () => this.#sessionId,
      call: (node, method, body, options) => this.#calls.call(node, method, body, options),
      onLive: (agent, epoch) => this.#links.learn({ agent, owner: this.self, epoch }),
    });
  }

  /** Join or come back (ME2). */
  async #enter(): Promise<void> {
    const { start, joinTimeoutMs = JOIN_MS } = this.#config;
    if (start.kind === "found") {
      this.#beginMembership();
      return;
    }
    let deadline: TimerHandle | undefined;
    const late = new Promise<never>((_, reject) => {
      deadline = this.#ports.timers.schedule(joinTimeoutMs, () =>
        reject(new JoinTimeoutError(joinTimeoutMs)),
      );
    });
    try {
      const contact = await Promise.race([this.#dialContacts(), late]);
      this.#beginMembership();
      if (contact === undefined) return;
      const heard = new Promise<void>((resolve) => {
        this.#heardTable = resolve;
      });
      this.#membership?.exchange(contact);
      await Promise.race([heard, late]);
    } finally {
      deadline?.cancel();
      this.#heardTable = undefined;
      late.catch(() => undefined);
    }
  }

  async #dialContacts(): Promise<NodeId | undefined> {
    const { start } = this.#config;
    if (start.kind === "found") return undefined;
    const line = this.#standing.joinLine();
    const contacts = start.kind === "join" ? (line === undefined ? [] : [line.address]) : start.contacts;
    let last: unknown;
    for (const address of contacts) {
      try {
        return await this.#required().dial(address, line?.introducer);
      } catch (error) {
        if (isRefusal(error)) throw error;
        last = error;
      }
    }
    // The founder may come back first, with nobody there: the others dial it again as a dead member.
    if (this.#standing.holdsClusterKey) return undefined;
    throw new IntroducerUnreachableError(contacts.map(formatAddress).join(", "), last);
  }

  #beginMembership(): void {
    const { clock, timers, random, signer, digests } = this.#ports;
    const { role, name, bootEpoch, membership } = this.#config;
    const { cluster, clusterKey } = this.#standing.known();
    this.#membership = new Membership({
      self: this.self,
      role,
      name,
      address: this.#address ?? { host: "client", port: 1 },
      bootEpoch,
      certificate: this.#standing.required().certificate,
      statements: new Statements(digests, cluster, clusterKey),
      parameters: membershipParameters(membership),
      clock,
      timers,
      random: random.fork("membership"),
      signer,
      send: (node, trafficClass, envelope) => void this.#sessions?.send(node, trafficClass, envelope),
      emit: (event) => this.#emit(event),
    });
    this.#membership.start();
  }

  #receive(peer: Peer, trafficClass: TrafficClass, envelope: Envelope): void {
    switch (envelope.kind) {
      case "call":
      case "reply":
      case "failure":
        this.#calls.receive(peer, trafficClass, envelope);
        return;
      case "linkData":
      case "linkAck":
      case "linkClose":
        this.#links.receive(peer, envelope);
        return;
      case "ping":
      case "ack":
      case "pingReq":
      case "nack":
      case "gossip":
      case "pushPull":
        this.#membership?.receive(peer, trafficClass, envelope);
        if (envelope.kind === "pushPull") this.#heardTable?.();
        return;
      default:
        throw new ProtocolViolationError(`${envelope.kind} on an admitted session`);
    }
  }

  #sendLink(node: NodeId, envelope: Envelope): void {
    if (node !== this.self) {
      // A message that cannot be sent counts as lost: the link sends it again.
      this.#sessions?.send(node, "request", envelope);
      return;
    }
    const peer = { node, role: this.#config.role };
    // Not at once: the sender is in the middle of its own step. Not by a timer: that costs a millisecond.
    void Promise.resolve().then(() => {
      if (this.#state !== "stopped") this.#links.receive(peer, envelope);
    });
  }

  #lost(node: NodeId, reason: string): void {
    this.#emit({ kind: "sessionDown", node, reason });
    this.#calls.unreachable(node, reason);
    this.#links.peerLost(node);
    this.#membership?.sessionLost(node);
  }

  #unreachable(node: NodeId, cause: unknown): void {
    this.#calls.unreachable(node, cause);
    this.#links.peerLost(node);
  }

  #refused(node: NodeId, error: unknown): void {
    const { code, message } = error as { code?: string; message?: string };
    this.#ports.logger?.log("warn", "session refused", { node, code, message });
    this.#emit({ kind: "refused", node, code: code ?? "abi.unexpected", message: message ?? String(error) });
  }

  #emit(event: MeshEvent): void {
    for (const listen of [...this.#listeners]) listen(event);
  }

  #hint(node: NodeId, address: HostPort): void {
    if (this.#hints.size >= HINTS_MAX) this.#hints.clear();
    this.#hints.set(node, address);
  }

  #knows(node: NodeId): boolean {
    return this.#membership?.member(node) !== undefined || this.#hints.has(node);
  }

  #required(): Sessions {
    if (this.#sessions === undefined) throw new MeshStoppedError();
    return this.#sessions;
  }
}

/** Whether somebody answered and said no, as opposed to nobody answering: then another contact would not help. */
function isRefusal(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && !code.startsWith("wire.") && code !== "mesh.peer-unreachable";
}
