/** What the threads of a node tell the main thread. One-way. */
import type { ErrorRecord } from "@glia-os/abi/errors";
import type { LogFields, LogLevel } from "@glia-os/abi/ports";
import type { Membership } from "./data-folder.ts";
import type { LogPage, LogQuestion } from "./logs/log-ring.ts";
import type { MigrationPhase } from "./node-views.ts";

/** Something that happened on this node or in its mesh, for people and programs that watch. */
export type NodeEvent =
  | {
      readonly kind: "member";
      readonly change: "up" | "suspect" | "dead" | "left" | "removed";
      readonly node: string;
      readonly name: string;
    }
  | { readonly kind: "anchor"; readonly change: "lost" | "back"; readonly why: string }
  /** How much of the cluster this node sees: of `known` voters, so many are in reach. */
  | {
      readonly kind: "quorum";
      readonly change: "partition" | "lost" | "healed";
      readonly reachable: number;
      readonly known: number;
    }
  /** The agents' thread stands still, or gets on again: while it stands still the lease of this node is not renewed. */
  | { readonly kind: "agents"; readonly change: "stalled" | "back" }
  /** Told once: a member says that this node was removed from the mesh. */
  | { readonly kind: "expelled"; readonly by: string }
  /** Told once, at the start: requests go over TLS although QUIC was allowed. */
  | { readonly kind: "no-quic"; readonly why: string }
  | { readonly kind: "agent-ended"; readonly agent: string; readonly why: string }
  | { readonly kind: "migration-phase"; readonly agent: string; readonly phase: MigrationPhase };

/** Served by the main thread. */
export interface MainService {
  log(level: LogLevel, message: string, fields: LogFields): void;
  event(event: NodeEvent): void;
  /** The newest lines and events of this node. */
  logsHere(question: LogQuestion): Promise<LogPage>;
  /** What the node needs to come back to its cluster changed: keep it. Whether it is on disk; what failed is in the log. */
  keepMembership(membership: Membership): boolean;
  /** The node cannot go on. */
  fatal(error: ErrorRecord): void;
}
