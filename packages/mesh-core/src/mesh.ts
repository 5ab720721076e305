/**
 * One node of the mesh, composed over the ports: what every node has (sessions, admission, membership, calls, coordination), and the
 * parts it may do without (part-table.ts).
 *
 * ME1. Every message of an admitted peer goes to exactly one part, by its kind; a client's messages reach only calls and links.
 * ME2. `start` resolves when this node holds a certificate and, unless it founded the cluster, has heard a member's table.
 * ME3. After `stop` nothing is sent, no timer does anything, and every pending promise has settled.
 */
import { type AgentId, type ClusterId, type NodeId, nodeIdOf } from "@glia-os/abi/ids";
import type { Coordination, HostPort, Signer, TrafficClass } from "@glia-os/abi/ports";
import { type Contact, Entrance } from "./admission/entrance.ts";
import { RENEW_METHOD, Renewal, renewedBody } from "./admission/renewal.ts";
import { Standing } from "./admission/standing.ts";
import { engineOrAnchor } from "./anchor/engine-or-anchor.ts";
import { type Envelope, isAdmissionKind, type OutgoingEnvelope } from "./codec/envelope.ts";
import { checkConfig } from "./config.ts";
import { MeshStoppedError, PartStoppedError, ProtocolViolationError, UnknownMemberError } from "./errors.ts";
import { EventListeners } from "./event-listeners.ts";
import type { AgentLink } from "./links/agent-link.ts";
import { isMembershipKind, Membership } from "./membership/membership.ts";
import { membershipParameters } from "./membership/parameters.ts";
import type { QuorumState } from "./membership/quorum.ts";
import type { Mesh, MeshConfig, MeshPorts } from "./mesh-face.ts";
import type {
  AgentLocation,
  CallHandler,
  CallOptions,
  Credentials,
  KeyOverlap,
  Member,
  MeshEvent,
} from "./mesh-types.ts";
import type { MigrateOptions, MigrationReport } from "./migration/phase.ts";
import type { PartFaces, PartName } from "./part-table.ts";
import { chosenParts, Parts } from "./parts.ts";
import { type Peer, Sessions } from "./peers/sessions.ts";
import { announcingCoordination } from "./registry/announcing-coordination.ts";
import { Calls } from "./rpc/calls.ts";

const JOIN_MS = 10_000;
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
  readonly #listeners = new EventListeners();
  readonly #standing: Standing;
  readonly #calls: Calls;
  readonly #parts: Parts;
  readonly #hints = new Map<NodeId, HostPort>();
  #sessions: Sessions | undefined;
  #membership: Membership | undefined;
  #entrance: Entrance | undefined;
  #renewal: Renewal | undefined;
  #address: HostPort | undefined;
  #sessionId = "";
  #healthFloor = 0;
  #pace = 1;
  #heardTable: (() => void) | undefined;
  #state: "new" | "running" | "stopped" = "new";

  constructor(ports: MeshPorts, config: MeshConfig) {
    this.self = nodeIdOf(ports.signer.publicKey, ports.digests.sha256);
    checkConfig(ports, config, this.self);
    this.#ports = ports;
    this.#config = config;
    this.#standing = new Standing({
      ...ports,
      ...config,
      certificateTtlMs: config.certificateTtlMs,
      learned: (successions) => this.#learned(successions),
    });
    this.#calls = new Calls({
      self: { node: this.self, role: config.role },
      timers: ports.timers,
      random: ports.random.fork("calls"),
      tracer: ports.tracer,
      send: (node, trafficClass, envelope) => this.#send(node, trafficClass, envelope),
    });
    this.coordination = announcingCoordination({
      self: this.self,
      registry: () => this.#parts.face("registry"),
      coordination: engineOrAnchor({
        engine: ports.coordination,
        standing: this.#standing,
        calls: this.#calls,
        digests: ports.digests,
        timeoutMs: config.anchorTimeoutMs,
      }),
    });
    this.#parts = this.#hostParts();
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
    const { bind, advertise, role, parts } = this.#config;
    this.#standing.prepare();
    this.#sessions = this.#openSessions();
    try {
      this.#parts.start(chosenParts(parts));
      if (role !== "client" && bind !== undefined) {
        const bound = await this.#ports.transport.listen(bind);
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
    if (ran && this.#membership !== undefined) await this.#parts.flush();
    this.#state = "stopped";
    this.#entrance?.end();
    this.#renewal?.stop();
    this.#membership?.leave();
    this.#parts.stop();
    this.#calls.stop();
    this.#sessions?.stop();
    if (ran) await this.#ports.transport.close();
    this.#listeners.clear();
  }

  parts(): readonly PartName[] {
    return this.#parts.names();
  }

  part<Name extends PartName>(name: Name): PartFaces[Name] {
    if (this.#state !== "running") throw new MeshStoppedError();
    const face = this.#parts.face(name);
    if (face === undefined) throw new PartStoppedError(name);
    return face;
  }

  startPart(name: PartName): void {
    if (this.#state !== "running") throw new MeshStoppedError();
    this.#parts.start(chosenParts([name]));
  }

  async stopPart(name: PartName): Promise<void> {
    await this.#parts.close(name);
  }

  members(): readonly Member[] {
    return this.#membership?.members() ?? [];
  }

  onEvent(listen: (event: MeshEvent) => void): () => void {
    return this.#listeners.add(listen);
  }

  createJoinLine({ ttlMs, uses }: { readonly ttlMs: number; readonly uses: number }): string {
    return this.#standing.createJoinLine(this.#address, ttlMs, uses);
  }

  credentials(): Credentials {
    return this.#standing.required();
  }

  get healthScore(): number {
    return this.#membership?.healthScore ?? 0;
  }

  remove(node: NodeId): void {
    const { removal, signer } = this.#standing.removal(node);
    this.#required();
    this.#membership?.remove(signer, removal);
  }

  setHealthFloor(score: number): void {
    this.#healthFloor = score;
    if (this.#membership !== undefined) this.#membership.healthFloor = score;
  }

  setPace(times: number): void {
    this.#pace = times;
    if (this.#membership !== undefined) this.#membership.pace = times;
  }

  heardMs(node: NodeId): number | undefined {
    return this.#membership?.heardMs(node);
  }

  get quorum(): QuorumState {
    return this.#membership?.quorumState ?? "whole";
  }

  validity(): { readonly issuedMs: number; readonly expiresMs: number; readonly current: boolean } {
    return this.#standing.validity();
  }

  hint(node: NodeId, address: HostPort): void {
    if (node === this.self || this.#state !== "running" || this.#knows(node)) return;
    this.#hint(node, address);
    this.#membership?.introduce(node);
  }

  rotateClusterKey(next: Signer, overlap: KeyOverlap): void {
    this.#learned([this.#standing.rotate(next, overlap)]);
    for (const removal of this.#standing.ongoingRemovals()) this.#membership?.remove(next, removal);
    this.#recertified();
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
    return this.part("links").open(agent);
  }

  pushReply(to: NodeId, reply: { agent: AgentId; link: string; seq: number; payload: Uint8Array }): void {
    const { agent, link, seq, payload } = reply;
    this.#parts.face("links")?.pushReply(to, agent, link, { seq, payload });
  }

  async locate(agent: AgentId): Promise<AgentLocation> {
    return this.part("links").locate(agent);
  }

  async migrate(agent: AgentId, to: NodeId, options?: MigrateOptions): Promise<MigrationReport> {
    return this.part("moves").migrate(agent, to, options);
  }

  async cancelMigration(agent: AgentId): Promise<boolean> {
    return this.part("moves").cancel(agent);
  }

  #hostParts(): Parts {
    const { clock, timers, random, signer, digests, logger, meter, cells } = this.#ports;
    const { role, name } = this.#config;
    return new Parts({
      context: {
        self: this.self,
        role,
        name,
        settings: this.#config,
        clock,
        timers,
        random,
        signer,
        digests,
        logger,
        meter,
        bootEpoch: this.#config.bootEpoch,
        address: () => this.#address,
        certificate: () => this.#standing.required().certificate,
        openMember: (certificate) => this.#standing.openMember(certificate),
        connections: () => this.#sessions?.peers() ?? [],
        cluster: () => this.#standing.known().cluster,
        members: () => this.members(),
        member: (node) => this.#membership?.member(node),
        connected: (node) => this.#sessions?.has(node) === true,
        congested: (node) => this.#sessions?.congested(node) === true,
        send: (node, trafficClass, envelope) => this.#send(node, trafficClass, envelope),
        call: (node, method, body, options) => this.#calls.call(node, method, body, options),
        emit: (event) => this.#listeners.tell(event),
        hint: (node, address) => this.#hint(node, address),
      },
      handle: (method, handler) => this.#calls.handle(method, handler),
      onEvent: (listen) => this.#listeners.add(listen),
      surroundings: {
        cells,
        overlay: this.#ports,
        coordination: this.coordination,
        sessionId: () => this.#sessionId,
        holdsBack: () => this.#holdsBack(),
      },
    });
  }

  #openSessions(): Sessions {
    const { transport, timers, random } = this.#ports;
    return new Sessions({
      transport,
      timers,
      random: random.fork("sessions"),
      admission: this.#standing,
      addressOf: (node) => this.#membership?.addressOf(node) ?? this.#hints.get(node),
      onEnvelope: (peer, trafficClass, envelope) => this.#receive(peer, trafficClass, envelope),
      onUp: ({ node, role }) => this.#listeners.tell({ kind: "sessionUp", node, role }),
      onDown: ({ node }, reason) => this.#lost(node, reason),
      onDrained: (node) => this.#parts.drained(node),
      onUnreachable: (node, cause) => this.#unreachable(node, cause),
      onRefused: (node, error) => this.#refused(node, error),
    });
  }

  /** Join or come back (ME2). */
  async #enter(): Promise<void> {
    const { start, joinTimeoutMs = JOIN_MS } = this.#config;
    if (start.kind === "found") return this.#beginMembership();
    const { timers, random } = this.#ports;
    const entrance = new Entrance({
      timers,
      random: random.fork("entrance"),
      timeoutMs: joinTimeoutMs,
      dial: (address, expect) => this.#required().dial(address, expect),
    });
    this.#entrance = entrance;
    await entrance.within(async () => {
      const contact = await this.#dialContacts(entrance);
      this.#beginMembership();
      if (contact === undefined) return;
      const heard = new Promise<void>((resolve) => {
        this.#heardTable = resolve;
      });
      this.#membership?.introduce(contact);
      await heard;
    });
  }

  async #dialContacts(entrance: Entrance): Promise<NodeId | undefined> {
    const { start } = this.#config;
    const contacts: readonly Contact[] =
      start.kind === "member"
        ? start.contacts.map((address) => ({ address, expect: undefined }))
        : this.#standing.joinLines().map(({ address, introducer }) => ({ address, expect: introducer }));
    try {
      return await entrance.dial(contacts);
    } catch (error) {
      // The founder may come back first, with nobody there: the others dial it again as a dead member.
      if (this.#standing.holdsClusterKey && isNobodyThere(error)) return undefined;
      throw error;
    }
  }

  #beginMembership(): void {
    if (this.#state !== "running") throw new MeshStoppedError();
    const { clock, timers, random, signer, digests, meter } = this.#ports;
    const { role, name, bootEpoch, membership } = this.#config;
    this.#membership = new Membership({
      self: this.self,
      role,
      name,
      address: this.#address ?? { host: "client", port: 1 },
      bootEpoch,
      certificate: () => this.#standing.required().certificate,
      statements: this.#standing.statements(),
      removals: this.#standing.removals,
      parameters: membershipParameters(membership),
      clock,
      timers,
      random: random.fork("membership"),
      signer,
      digests,
      meter,
      send: (node, trafficClass, envelope) => void this.#send(node, trafficClass, envelope),
      emit: (event) => this.#listeners.tell(event),
      removed: (node) => this.#removed(node),
      adopt: (succession) => this.#adopt(succession),
      refuse: (node, error) => this.#sessions?.refuse(node, error),
      heardTable: () => this.#heardTable?.(),
    });
    this.#membership.healthFloor = this.#healthFloor;
    this.#membership.pace = this.#pace;
    this.#membership.start();
    this.#renewal = this.#keepRenewed();
  }

  #keepRenewed(): Renewal {
    const { clock, timers, random } = this.#ports;
    this.#calls.handle(RENEW_METHOD, async ({ node }) => {
      const certificate = node === this.self ? undefined : this.#sessions?.certificateOf(node);
      const key = node === this.self ? this.#standing.selfKey : certificate?.nodeKey;
      if (key === undefined) throw new UnknownMemberError(node);
      return renewedBody(this.#standing.renew(key, certificate?.role ?? this.#config.role));
    });
    const renewal = new Renewal({
      clock,
      timers,
      random: random.fork("renewal"),
      validity: () => this.#standing.validity(),
      holders: () => this.#holders(),
      call: (node, method, body, options) => this.call(node, method, body, options),
      take: (credentials) => {
        this.#standing.renewed(credentials);
        this.#recertified();
      },
    });
    renewal.watch();
    return renewal;
  }

  /** Who may hold the cluster key: this node if it does, else the anchor first, then the other core members. */
  #holders(): NodeId[] {
    if (this.#standing.holdsClusterKey) return [this.self];
    const cores = this.members().filter(
      ({ role, state, node }) => role === "core" && state === "alive" && node !== this.self,
    );
    return [...new Set([this.anchor, ...cores.map(({ node }) => node)])];
  }

  /** This node's certificate changed: peers and members are shown it. */
  #recertified(): void {
    this.#sessions?.showCredentials(this.#standing.required().certificate, this.#standing.successions());
    this.#membership?.certificateChanged();
    this.#listeners.tell({ kind: "credentialsChanged" });
  }

  #adopt(succession: Uint8Array): boolean {
    const fresh = this.#standing.adopt(succession);
    if (fresh) this.#keysChanged();
    return fresh;
  }

  #learned(successions: readonly Uint8Array[]): void {
    for (const succession of successions) this.#membership?.spreadSuccession(succession);
    this.#keysChanged();
  }

  #keysChanged(): void {
    this.#listeners.tell({ kind: "credentialsChanged" });
    this.#renewal?.watch();
  }

  #removed(node: NodeId): void {
    this.#sessions?.removed(node);
    this.#listeners.tell({ kind: "credentialsChanged" });
  }

  #holdsBack(): { readonly moves: boolean; readonly agents: boolean } {
    const { minorityPolicy = "continue" } = this.#config;
    const held = minorityPolicy !== "continue" && this.#membership?.quorumLost === true;
    return { moves: held, agents: held && minorityPolicy === "pause-agents" };
  }

  #send(node: NodeId, trafficClass: TrafficClass, envelope: OutgoingEnvelope): boolean {
    return this.#sessions?.send(node, trafficClass, envelope) ?? false;
  }

  #receive(peer: Peer, trafficClass: TrafficClass, envelope: Envelope): void {
    const { kind } = envelope;
    if (kind === "call" || kind === "reply" || kind === "failure") {
      this.#calls.receive(peer, trafficClass, envelope);
    } else if (isMembershipKind(kind)) this.#membership?.receive(peer, trafficClass, envelope);
    else if (isAdmissionKind(kind)) throw new ProtocolViolationError(`${kind} on an admitted session`);
    else this.#parts.receive(peer, trafficClass, envelope);
  }

  #lost(node: NodeId, reason: string): void {
    this.#listeners.tell({ kind: "sessionDown", node, reason });
    this.#calls.unreachable(node, reason);
    this.#parts.peerLost(node);
    this.#membership?.sessionLost(node);
  }

  #unreachable(node: NodeId, cause: unknown): void {
    this.#calls.unreachable(node, cause);
    this.#parts.peerLost(node);
  }

  #refused(node: NodeId, error: unknown): void {
    const { code, message } = error as { code?: string; message?: string };
    this.#ports.logger?.log("warn", "session refused", { node, code, message });
    const told = { code: code ?? "abi.unexpected", message: message ?? String(error) };
    this.#listeners.tell({ kind: "refused", node, ...told });
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

function isNobodyThere(error: unknown): boolean {
  return (error as { code?: unknown }).code === "mesh.introducer-unreachable";
}
