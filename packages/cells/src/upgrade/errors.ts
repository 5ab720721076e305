/** Refusals of upgrades, one class each. */
import { CellsError } from "@glia-os/abi/errors/cells";
import type { AgentId } from "@glia-os/abi/ids";

/** A program does not take part in upgrades, or this kind of agent does not. */
export class NotUpgradableError extends CellsError<"cells.not-upgradable"> {
  constructor(agent: AgentId, why: string) {
    super("cells.not-upgradable", `Agent ${agent} cannot be upgraded: ${why}`, { details: { agent, why } });
  }
}

/** The agent did not come to rest between two messages within the time that was allowed. */
export class UpgradeBusyError extends CellsError<"cells.upgrade-busy"> {
  constructor(agent: AgentId, why: string, waitedMs: number) {
    super("cells.upgrade-busy", `Agent ${agent} was not upgraded within ${waitedMs} ms: ${why}`, {
      details: { agent, why, waitedMs },
    });
  }
}

/** The old code did not hand over, or the new code did not take over. `reason` is the code of its error, when it gave one. */
export class UpgradeRefusedError extends CellsError<"cells.upgrade-refused"> {
  constructor(agent: AgentId, who: "old" | "new", why: string, reason?: string) {
    const did = who === "old" ? "the old code did not hand over" : "the new code did not take over";
    super("cells.upgrade-refused", `Agent ${agent} was not upgraded, ${did}: ${why}`, {
      details: { agent, who, why, ...(reason === undefined ? {} : { reason }) },
    });
  }
}

/** This node knows no code that the agent had before. */
export class NoEarlierCodeError extends CellsError<"cells.no-earlier-code"> {
  constructor(agent: AgentId) {
    super("cells.no-earlier-code", `This node knows no earlier code of agent ${agent}`, {
      details: { agent },
    });
  }
}
