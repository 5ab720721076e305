/** The part of a node's operations that tells of agents that ended, anywhere in the mesh. */
import type { AgentId } from "@glia-os/abi/ids";
import type { Remote } from "../thread-call.ts";

/**
 * How an agent ended: by itself or asked to, by failing, because somebody terminated it, or with its node. An agent is `lost` that had neither a journal nor
 * a replica and whose node is away for longer than its lease, or came back without it; if that node was only cut off the agent comes back with it.
 */
export type EndReason = "stopped" | "failed" | "killed" | "lost";

/** An agent that ended. */
export interface AgentEndView {
  readonly agent: AgentId;
  readonly name: string | undefined;
  readonly reason: EndReason;
  /** Why, of one that failed. */
  readonly why: string | undefined;
}

/** Ends since a look. */
export interface AgentEndsPage {
  /** Where the next look goes on. */
  readonly next: number;
  /** Ends that were told and are not kept any more. */
  readonly missed: number;
  readonly ends: readonly AgentEndView[];
}

/** A part of `NodeApi`. */
export interface EndsApi {
  /**
   * Agents that ended since `after`, at most 1,024; when none did, those that end within `waitMs` (0 to 30,000). With null the watch begins, and resolves
   * when every member that answers knows of it: what ends from then on is told. A watch that nobody looks at for a minute is over.
   */
  agentEnds(after: number | null, waitMs: number): Promise<AgentEndsPage>;
}

/** The methods, by name. */
export const ENDS_METHODS: readonly (keyof EndsApi)[] = ["agentEnds"];

/** The face of the watch on another thread. */
export function endsFace(mesh: Remote<EndsApi>): EndsApi {
  return { agentEnds: (after, waitMs) => mesh.agentEnds(after, waitMs) };
}
