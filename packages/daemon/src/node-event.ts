/** What happens on a node and in its mesh, told to who watches. */
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
  /** A message that this node kept for an agent was given up. `inDoubt`: it went out, and whether the agent took it is not known. */
  | {
      readonly kind: "message-lost";
      readonly agent: string;
      /** Its number on this node. */
      readonly id: number;
      readonly why: "expired" | "no-agent" | "link-broken" | "dropped";
      readonly inDoubt: boolean;
      /** Milliseconds since 1970. */
      readonly atMs: number;
    }
  | { readonly kind: "migration-phase"; readonly agent: string; readonly phase: MigrationPhase };
