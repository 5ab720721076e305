/** What membership works with. */
import type { NodeId } from "@glia-os/abi/ids";
import type {
  Clock,
  Digests,
  HostPort,
  Meter,
  Random,
  Signer,
  Timers,
  TrafficClass,
} from "@glia-os/abi/ports";
import type { Removals } from "../admission/removals.ts";
import type { Envelope } from "../codec/envelope.ts";
import type { MeshEvent, NodeRole } from "../mesh-types.ts";
import type { MembershipParameters } from "./parameters.ts";
import type { Statements } from "./statement.ts";

/** The ports and neighbours of a membership machine. */
export interface MembershipOptions {
  readonly self: NodeId;
  readonly role: NodeRole;
  readonly name: string;
  /** What others dial; a client's is never told. */
  readonly address: HostPort;
  readonly bootEpoch: number;
  /** This node's membership certificate as it is now. */
  certificate(): Uint8Array;
  readonly statements: Statements;
  readonly removals: Removals;
  readonly parameters: MembershipParameters;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly signer: Signer;
  readonly digests: Digests;
  readonly meter: Meter | undefined;
  send(node: NodeId, trafficClass: TrafficClass, envelope: Envelope): void;
  emit(event: MeshEvent): void;
  /** A node was removed: its sessions end. */
  removed(node: NodeId): void;
  /** A new cluster key, not verified yet; whether it was new. @throws {CertificateInvalidError}. */
  adopt(succession: Uint8Array): boolean;
  /** A peer said something that is refused: its sessions end. */
  refuse(node: NodeId, error: unknown): void;
  /** A member's table was heard to its end. */
  heardTable(): void;
}
