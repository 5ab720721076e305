/**
 * What a part of a node gets and gives. A part is everything a node can do without: it may be off, stopped and started again.
 *
 * PT1. A part acts only through its {@link PartContext}: its timers, handlers and listeners end with it, whatever it forgets.
 */
import type { ClusterId, NodeId } from "@glia-os/abi/ids";
import type {
  Clock,
  Digests,
  HostPort,
  Logger,
  Meter,
  Random,
  Signer,
  Timers,
  TrafficClass,
} from "@glia-os/abi/ports";
import type { Certificate } from "./admission/certificate.ts";
import type { Envelope, Kind, OutgoingEnvelope } from "./codec/envelope.ts";
import type { CallBody, CallHandler, CallOptions, Member, MeshEvent, NodeRole } from "./mesh-types.ts";
import type { Peer } from "./peers/sessions.ts";

/** Settings of parts, within those of the node. */
export interface PartSettings {
  /** `moves`: most time a move may take before it is rolled back, 1 to 600,000. Default 30,000. */
  readonly migrationDeadlineMs?: number;
  /** `registry`: where agent records lie. Default `full-view`, for up to about 500 members. */
  readonly registry?: "full-view" | "kademlia";
  /** `jobs`: what this node has that jobs may ask for, such as `gpu`; at most 32 of 1 to 64 characters. */
  readonly features?: readonly string[];
}

/** What a part works with. */
export interface PartContext {
  readonly self: NodeId;
  readonly role: NodeRole;
  /** The node's name. */
  readonly name: string;
  readonly settings: PartSettings;
  readonly clock: Clock;
  /** Timers that end with the part (PT1). */
  readonly timers: Timers;
  /** The node's randomness forked by the part's name. */
  readonly random: Random;
  readonly signer: Signer;
  readonly digests: Digests;
  readonly logger: Logger | undefined;
  readonly meter: Meter | undefined;
  /** Greater than at every earlier start of this node. */
  readonly bootEpoch: number;
  /** Where others dial this node; undefined on a client and before it listens. */
  address(): HostPort | undefined;
  /** This node's membership certificate. @throws {NotAdmittedError}. */
  certificate(): Uint8Array;
  /** A certificate of a member that counts now. @throws certificate errors, {NodeRemovedError}. */
  openMember(certificate: Uint8Array): Certificate;
  /** Nodes with an admitted session. */
  connections(): readonly Peer[];
  /** The cluster. @throws {NotAdmittedError} before this node is a member. */
  cluster(): ClusterId;
  /** Members this node knows, itself first, then by node id. Empty before it is a member. */
  members(): readonly Member[];
  /** One member. */
  member(node: NodeId): Member | undefined;
  /** Whether an admitted session with `node` is open. */
  connected(node: NodeId): boolean;
  /** Whether so much waits for `node` that nothing should be added that can wait. */
  congested(node: NodeId): boolean;
  /** Send one message, dialling when needed. False when it was dropped at once. */
  send(node: NodeId, trafficClass: TrafficClass, envelope: OutgoingEnvelope): boolean;
  /** Call a method of a node. */
  call(node: NodeId, method: string, body: CallBody, options?: CallOptions): Promise<Uint8Array>;
  /** Answer a method until the part ends (PT1). */
  handle(method: string, handler: CallHandler): void;
  /** Listen to events until the part ends (PT1). */
  onEvent(listen: (event: MeshEvent) => void): void;
  emit(event: MeshEvent): void;
  /** Where a node listens, from somebody who knows; used when membership does not. */
  hint(node: NodeId, address: HostPort): void;
}

/** A part that runs. */
export interface Part<Face = unknown> {
  /** What the rest of the node uses of it. */
  readonly face: Face;
  /** Kinds of messages that go to `receive`. While no part takes a kind, its messages are dropped. */
  readonly kinds?: readonly Kind[];
  /** One message of an admitted peer. A typed error closes the session. */
  receive?(peer: Peer, trafficClass: TrafficClass, envelope: Envelope): void;
  /** The last session with a node ended, or a dial failed. */
  peerLost?(node: NodeId): void;
  /** A congested node is congested no more. */
  drained?(node: NodeId): void;
  /** End in order, while the node still runs: flush what can be flushed. */
  close?(): Promise<void>;
  /** End now. */
  stop(): void;
}
