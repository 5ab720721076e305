/**
 * Coordination that tells the registry what this node committed: an agent that was created here, moved away, or ended.
 *
 * AC1. The registry hears only of what was committed, afterwards; nobody waits for it, and its failure changes nothing.
 */
import type { AgentId, NodeId } from "@glia-os/abi/ids";
import type { AgentRow, Coordination } from "@glia-os/abi/ports";
import type { Registry } from "./registry.ts";

/** What announcing takes. */
export interface AnnouncingOptions {
  readonly self: NodeId;
  readonly coordination: Coordination;
  /** The registry while it runs. */
  readonly registry: () => Pick<Registry, "publish" | "moved" | "withdraw"> | undefined;
}

/** `coordination`, with commits of this node's agents announced. */
export function announcingCoordination({ self, coordination, registry }: AnnouncingOptions): Coordination {
  const announce = (row: AgentRow): void => {
    const told = tell(registry(), self, row);
    told?.catch(() => undefined);
  };
  return {
    openSession: (...args) => coordination.openSession(...args),
    renewSession: (...args) => coordination.renewSession(...args),
    closeSession: (...args) => coordination.closeSession(...args),
    createAgent: async (...args) => {
      const row = await coordination.createAgent(...args);
      if (row.owner === self) announce(row);
      return row;
    },
    compareAndSwap: async (agent: AgentId, ...args) => {
      const outcome = await coordination.compareAndSwap(agent, ...args);
      if (outcome.kind === "committed") announce(outcome.row);
      return outcome;
    },
    takeOver: async (agent: AgentId, ...args) => {
      const outcome = await coordination.takeOver(agent, ...args);
      if (outcome.kind === "committed") announce(outcome.row);
      return outcome;
    },
    getAgent: (...args) => coordination.getAgent(...args),
    findAgent: (...args) => coordination.findAgent(...args),
    listAgents: () => coordination.listAgents(),
    changesSince: (...args) => coordination.changesSince(...args),
    close: () => coordination.close(),
  };
}

function tell(
  registry: ReturnType<AnnouncingOptions["registry"]>,
  self: NodeId,
  { agent, owner, epoch, status, name }: AgentRow,
): Promise<unknown> | undefined {
  if (registry === undefined) return undefined;
  if (status !== "running" && status !== "suspended") return registry.withdraw(agent);
  return owner === self ? registry.publish(agent, epoch, name) : registry.moved(agent, epoch, owner);
}
