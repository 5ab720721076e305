/**
 * Finding nodes on the same link, as a port. `mesh-wire` implements it over multicast DNS.
 *
 * DI1. What is found is a hint: anybody on the link can say anything. Who may join is decided by the proofs of a session.
 * DI2. A node is found again whenever its addresses change, and lost when it said goodbye or was silent for its time to live.
 * DI3. The number of nodes and addresses kept is bounded; what is over the bound is not told.
 */
import type { ClusterId, NodeId } from "../ids/node-id.ts";
import type { HostPort } from "./transport.ts";

/** What a node says of itself. */
export interface Announcement {
  readonly node: NodeId;
  readonly cluster: ClusterId;
  /** Where it listens. A wildcard host (`0.0.0.0`, `::`) stands for every address of the machine. */
  readonly address: HostPort;
  /** Whether it takes QUIC at the same port number. */
  readonly quic: boolean;
}

/** A node that somebody announced (DI1). */
export interface FoundNode {
  readonly node: NodeId;
  readonly cluster: ClusterId;
  /** At least one, address literals. */
  readonly addresses: readonly HostPort[];
}

/** Announces this node and finds others. */
export interface Discovery {
  /** Say this from now on, to everybody on the link; replaces what was said before. */
  announce(announcement: Announcement): void;
  /** The one receiver of nodes that are there (DI2). Told of those known already. */
  onFound(found: (node: FoundNode) => void): void;
  /** The one receiver of nodes that are gone (DI2). */
  onLost(lost: (node: NodeId) => void): void;
  /** Say goodbye and stop. Idempotent; leaves no handle behind. */
  close(): Promise<void>;
}
