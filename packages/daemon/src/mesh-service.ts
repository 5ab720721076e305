/**
 * A node's operations on its mesh, on the mesh thread: who is there, how messages go, who may stay, certificates and keys.
 *
 * MS1. Nothing is removed or replaced unless this node holds the cluster's key; the key itself never leaves this thread.
 * MS2. A key that replaces the cluster's is on disk before the mesh hears of it, and takes its place when that is kept (cluster-key.ts).
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import { type NodeId, parseNodeId } from "@glia-os/abi/ids";
import type { Clock } from "@glia-os/abi/ports";
import type { Member, Mesh } from "@glia-os/mesh-core";
import type { WireSession, WireTransport } from "@glia-os/mesh-wire";
import type { AgentPlace } from "./agent-place.ts";
import type { BegunRotation, ClusterKeyFiles } from "./cluster-key.ts";
import type { Membership } from "./data-folder.ts";
import { BadOptionsError, DataFolderError, NoClusterKeyError } from "./errors.ts";
import { findMember } from "./member-name.ts";
import type { MeshSettings } from "./mesh-settings.ts";
import { encodeBody, NODE_CALLS } from "./node-call.ts";
import type {
  CertificateReport,
  JobsView,
  MemberDetail,
  MeshHealth,
  PingReport,
  RouteReport,
  SessionView,
  WireView,
} from "./node-views.ts";

/** Longest overlap of a replaced cluster key, in milliseconds. */
export const OVERLAP_MAX_MS: number = 30 * 86_400_000;
const PING_MAX_MS = 60_000;
/** Characters of an id that stand for a name that is not known. */
const SHORT_ID = 12;
const NODE_ID = /^[0-9a-f]{64}$/;

/** What the operations are made of. */
export interface MeshServiceParts {
  readonly mesh: Mesh;
  readonly transport: WireTransport;
  readonly clock: Clock;
  readonly settings: MeshSettings;
  readonly dataDir: string;
  /** Present on the node that holds the cluster's key. */
  readonly keys: ClusterKeyFiles | undefined;
  readonly whyNoQuic: string | undefined;
  /** Whether this node announces itself. */
  readonly mdns: boolean;
  readonly agentsStalled: () => boolean;
  readonly jobs: () => JobsView | undefined;
  /** Where an agent is, by name or id; undefined when there is none. */
  readonly place: (text: string) => Promise<AgentPlace | undefined>;
  /** What the node comes back with. */
  readonly membership: () => Membership;
  /** Keep it; whether it is on disk. */
  readonly keep: (membership: Membership) => Promise<boolean>;
}

/** The operations of one node. */
export class MeshService {
  readonly #parts: MeshServiceParts;

  constructor(parts: MeshServiceParts) {
    this.#parts = parts;
  }

  members(): readonly MemberDetail[] {
    const { mesh } = this.#parts;
    const sessions = this.#sessions();
    return mesh.members().map((member) => ({
      ...viewOf(member, mesh),
      bootEpoch: member.bootEpoch,
      incarnation: member.incarnation,
      session: sessionView(sessions.get(member.node)),
    }));
  }

  async ping(text: string, timeoutMs: number): Promise<PingReport> {
    const { mesh, clock } = this.#parts;
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > PING_MAX_MS)
      throw new BadOptionsError(`A ping waits for 1 to ${PING_MAX_MS} ms, not ${timeoutMs}`);
    const node = this.#anyMember(text);
    const name = mesh.members().find((each) => each.node === node)?.name ?? node.slice(0, SHORT_ID);
    const startMs = clock.monotonicMs();
    await mesh.call(node, NODE_CALLS.ping, encodeBody(null), { timeoutMs });
    const roundTripMs = clock.monotonicMs() - startMs;
    return { node, name, roundTripMs, carrier: this.#carrier(node) };
  }

  async route(text: string): Promise<RouteReport> {
    const { mesh, place } = this.#parts;
    const found = await place(text);
    const node = found?.owner ?? this.#anyMember(text);
    const member = mesh.members().find((each) => each.node === node);
    const carrier = this.#carrier(node);
    const reachable = member?.state === "alive" || member?.state === "suspect";
    const way =
      node === mesh.self ? "here" : carrier !== undefined ? "session" : reachable ? "dial" : "relays";
    return {
      agent: found?.agent,
      registry: found?.registry,
      coordination: found?.coordination,
      node,
      name: member?.name,
      state: member?.state,
      address: member?.address,
      way,
      carrier,
      relays: this.#relays(node),
    };
  }

  removeNode(text: string): { readonly node: NodeId; readonly name: string | undefined } {
    const { mesh, keys } = this.#parts;
    if (keys === undefined) throw new NoClusterKeyError();
    const node = this.#anyMember(text);
    const name = mesh.members().find((each) => each.node === node)?.name;
    mesh.remove(node);
    return { node, name };
  }

  certificates(): CertificateReport {
    const { mesh, transport, keys } = this.#parts;
    const names = new Map(mesh.members().map(({ node, name }) => [node, name]));
    return {
      leaf: { pem: transport.certificatePem, notAfterMs: transport.certificateNotAfterMs },
      membership: mesh.validity(),
      holdsClusterKey: keys !== undefined,
      peers: transport.sessions.map(({ peer, peerCertificateNotAfterMs }) => ({
        node: peer,
        name: names.get(peer),
        notAfterMs: peerCertificateNotAfterMs,
      })),
    };
  }

  rotateCertificate(): { readonly previousNotAfterMs: number; readonly notAfterMs: number } {
    return this.#parts.transport.rotateCertificate();
  }

  async rotateClusterKey({
    overlapMs,
  }: {
    readonly overlapMs: number;
  }): Promise<{ readonly untilMs: number }> {
    const { keys, clock } = this.#parts;
    if (keys === undefined) throw new NoClusterKeyError();
    if (!Number.isInteger(overlapMs) || overlapMs < 0 || overlapMs > OVERLAP_MAX_MS)
      throw new BadOptionsError(`The overlap ${overlapMs} is not from 0 to ${OVERLAP_MAX_MS} ms`);
    const begun = await keys.begin(Math.floor(clock.wallMs() + overlapMs));
    await this.finishRotation(begun);
    return { untilMs: begun.untilMs };
  }

  /** Make a rotation that was begun (MS2). */
  async finishRotation({ next, untilMs }: BegunRotation): Promise<void> {
    const { mesh, keys, dataDir, keep, membership } = this.#parts;
    mesh.rotateClusterKey(next, { untilMs });
    if (!(await keep(membership())))
      throw new DataFolderError(
        dataDir,
        "the new cluster key could not be kept; the next start goes on with it",
      );
    await keys?.finish();
  }

  /** The wire, for `status`. */
  wire(): WireView {
    const { transport, settings, whyNoQuic, mdns } = this.#parts;
    const carriers = transport.sessions.map((session) => session.stats().carriers);
    return {
      mode: settings.transport ?? "auto",
      quic: transport.hasQuic,
      whyNoQuic,
      sessions: carriers.length,
      overQuic: carriers.filter(({ request }) => request === "quic").length,
      overUdp: carriers.filter(({ datagram }) => datagram === "udp").length,
      mdns,
    };
  }

  /** Its jobs, for `status`. */
  jobs(): JobsView | undefined {
    return this.#parts.jobs();
  }

  /** How the node judges itself, for `status`. */
  health(): MeshHealth {
    const { mesh, settings, agentsStalled } = this.#parts;
    return {
      profile: settings.profile ?? "lan",
      minorityPolicy: settings.minorityPolicy ?? "continue",
      healthScore: mesh.healthScore,
      quorum: mesh.quorum,
      agentsStalled: agentsStalled(),
    };
  }

  /** A member in any state, or a whole id that nobody here knows. */
  #anyMember(text: string): NodeId {
    const members = this.#parts.mesh.members();
    try {
      return findMember(members, text).node;
    } catch (error) {
      if (errorCodeOf(error) !== "daemon.unknown-node") throw error;
    }
    if (NODE_ID.test(text)) return parseNodeId(text);
    // Whoever is dead or left can be removed too: by the same name or prefix.
    const gone = members.map((member) => ({ ...member, state: "alive" as const }));
    return findMember(gone, text).node;
  }

  #relays(to: NodeId): { readonly node: NodeId; readonly name: string }[] {
    const { mesh } = this.#parts;
    return mesh
      .members()
      .filter(({ role, state }) => (role === "relay" || role === "core") && state === "alive")
      .filter(({ node }) => node !== to && node !== mesh.self)
      .map(({ node, name }) => ({ node, name }));
  }

  #sessions(): ReadonlyMap<NodeId, WireSession> {
    return new Map(this.#parts.transport.sessions.map((session) => [session.peer, session]));
  }

  #carrier(node: NodeId): string | undefined {
    return this.#sessions().get(node)?.stats().carriers.request;
  }
}

/** A member as people see it. */
export function viewOf(
  { node, role, name, address, state }: Member,
  mesh: Mesh,
): Omit<MemberDetail, "bootEpoch" | "incarnation" | "session"> {
  return { node, role, name, address, state, anchor: node === mesh.anchor, self: node === mesh.self };
}

function sessionView(session: WireSession | undefined): SessionView | undefined {
  if (session === undefined) return undefined;
  const { carriers, rttMs, messages, bytesIn, bytesOut } = session.stats();
  const counts = Object.values(messages);
  return {
    carriers: { datagram: carriers.datagram, request: carriers.request, bulk: carriers.bulk },
    rttMs,
    messagesIn: counts.reduce((sum, { messagesIn }) => sum + messagesIn, 0),
    messagesOut: counts.reduce((sum, { messagesOut }) => sum + messagesOut, 0),
    bytesIn,
    bytesOut,
    certificateUntilMs: session.peerCertificateNotAfterMs,
  };
}
