/** The part of a node's operations that moves agents for reasons: by drain, by policy, or back again. */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { PolicyName } from "@glia-os/cells";
import type { NodePowerMode } from "./node-power.ts";

/** How far a drain is. `partly`: it is over, and some agents could not move. */
export type DrainState = "open" | "draining" | "drained" | "partly";

/** An agent that could not be moved, and why. */
export interface StuckAgent {
  readonly agent: AgentId;
  readonly name: string;
  readonly why: string;
}

/** A drain. */
export interface DrainView {
  readonly node: NodeId;
  readonly state: DrainState;
  /** Agents moved away since it began. */
  readonly moved: number;
  /** Agents still here when this was asked. */
  readonly left: number;
  /** Where the newest 32 went. */
  readonly newest: readonly { readonly agent: AgentId; readonly name: string; readonly to: NodeId }[];
  /** Those that could not move, at most 100. */
  readonly stuck: readonly StuckAgent[];
}

/** A move that a policy began. */
export interface PolicyMove {
  readonly policy: PolicyName;
  readonly why: string;
  readonly agent: AgentId;
  readonly name: string;
  /** Undefined when no node took it. */
  readonly to: NodeId | undefined;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** What a node says of itself to whoever thinks of sending it agents. */
export interface NodeCondition {
  readonly node: NodeId;
  readonly hosting: number;
  readonly drain: DrainState;
  /** Whether it takes agents: it is not drained, and no policy that is on wants agents to leave. */
  readonly takes: boolean;
  readonly readings: {
    readonly batteryPercent?: number;
    readonly charging?: boolean;
    readonly temperatureCelsius?: number;
    readonly cpuLoad?: number;
    readonly memoryLoad?: number;
  };
  /** How much it does unasked, by its battery: in `low-power` it gossips half as often, in `ultra-low-power` a fifth. */
  readonly power: NodePowerMode;
  /** Triggers that stand: `battery-low`, `warm`, `hot`, `cpu-load`, `memory-load`, `queue-depth`. */
  readonly standing: readonly string[];
  readonly policies: readonly PolicyName[];
  /** What its policies moved, the newest 16. */
  readonly moves: readonly PolicyMove[];
}

/** A member with its condition. */
export interface ConditionedNode {
  readonly node: NodeId;
  readonly name: string;
  readonly role: string;
  readonly state: "alive" | "suspect" | "dead" | "left";
  readonly self: boolean;
  readonly anchor: boolean;
  /** From the question to the answer; undefined without one, and for the node that was asked itself. */
  readonly rttMs: number | undefined;
  /** Undefined when it did not answer. */
  readonly condition: NodeCondition | undefined;
}

/** A part of `NodeApi`. */
export interface MoveApi {
  /** Roll a move back, if it is not committed. @throws `mesh.no-migration` */
  cancelMigration(agent: string): Promise<{ readonly rolledBack: boolean }>;
  /** Every member with what it says of itself. */
  conditions(): Promise<readonly ConditionedNode[]>;
  /** Begin to move all agents of a node (default: this one) away; it takes no new ones until {@link undrain}, also after a restart if `keep`. */
  drain(node?: string, keep?: boolean): Promise<DrainView>;
  drainStatus(node?: string): Promise<DrainView>;
  /** Let a node take agents again. A drain under way ends after the moves that began. */
  undrain(node?: string): Promise<DrainView>;
  /** Turn a policy of a node on or off until it ends. */
  setPolicy(policy: string, on: boolean, node?: string): Promise<NodeCondition>;
}
