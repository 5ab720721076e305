/** What the mesh tells, as events and log lines of the node. */
import type { Logger } from "@glia-os/abi/ports";
import type { MeshEvent } from "@glia-os/mesh-core";
import type { NodeEvent } from "./node-event.ts";

const MEMBER_CHANGES = {
  memberUp: "up",
  memberSuspect: "suspect",
  memberDead: "dead",
  memberLeft: "left",
  memberRemoved: "removed",
} as const;
const QUORUM_CHANGES = { partition: "partition", quorumLost: "lost", healed: "healed" } as const;
const QUORUM_LINES = {
  partition: "members are out of reach",
  lost: "no majority is in reach",
  healed: "a majority is in reach again",
} as const;

/** Hand one event on. */
export function tellMeshEvent(event: MeshEvent, tell: (event: NodeEvent) => void, logger: Logger): void {
  switch (event.kind) {
    case "migrationPhase": {
      const { phase, startedMs, endedMs, bytes } = event.phase;
      const told = { phase, ms: endedMs - startedMs, bytes };
      tell({ kind: "migration-phase", agent: event.agent, phase: told });
      break;
    }
    case "memberUp":
    case "memberSuspect":
    case "memberDead":
    case "memberLeft":
    case "memberRemoved": {
      const change = MEMBER_CHANGES[event.kind];
      const { node, name } = event.member;
      tell({ kind: "member", change, node, name });
      logger.log(change === "dead" || change === "removed" ? "warn" : "info", `member ${change}`, {
        node,
        name,
      });
      break;
    }
    case "partition":
    case "quorumLost":
    case "healed": {
      const { reachable, known } = event;
      const change = QUORUM_CHANGES[event.kind];
      tell({ kind: "quorum", change, reachable, known });
      logger.log(change === "healed" ? "info" : "warn", QUORUM_LINES[change], { reachable, known });
      break;
    }
    case "refused":
      logger.log("warn", "refused", { node: event.node, code: event.code, why: event.message });
      break;
    case "migrationBegan":
    case "migrationEnded":
    case "credentialsChanged":
      break;
    default:
      logger.log("debug", event.kind, { node: event.node });
  }
}
