/** What happens on a node, as lines for people. */
import type { NodeEvent } from "@glia-os/daemon";
import { formatBytes, formatMs } from "../terminal/amount.ts";

const MEMBER = {
  up: "is there",
  suspect: "does not answer",
  dead: "is dead",
  left: "left",
  removed: "was removed",
} as const;
const QUORUM = {
  partition: "members are out of reach",
  lost: "no majority is in reach",
  healed: "a majority is in reach again",
} as const;
type Lost = Extract<NodeEvent, { kind: "message-lost" }>;
/** Characters of an id that people see. */
const SHORT_ID = 12;

/** The line of a message that was given up. */
export function lostLine({ id, agent, why, inDoubt }: Omit<Lost, "kind">): string {
  const doubt = inDoubt ? "; the agent may have it" : "; the agent does not have it";
  return `message ${id} to agent ${agent.slice(0, SHORT_ID)} was given up (${why})${doubt}`;
}

/** The line of an event. */
export function eventLine(event: NodeEvent): string {
  switch (event.kind) {
    case "member":
      return `member ${event.name} (${event.node.slice(0, SHORT_ID)}) ${MEMBER[event.change]}`;
    case "quorum":
      return `${QUORUM[event.change]}: ${event.reachable} of ${event.known} voters`;
    case "anchor":
      return `the anchor is ${event.change === "lost" ? "gone" : "back"}: ${event.why}`;
    case "agents":
      return event.change === "stalled"
        ? "the agents' thread stands still; the lease of this node is not renewed"
        : "the agents' thread gets on";
    case "expelled":
      return `this node was removed from the mesh, says ${event.by.slice(0, SHORT_ID)}; it comes back only with a new join line`;
    case "no-quic":
      return `requests go over TLS: ${event.why}`;
    case "agent-ended":
      return `agent ${event.agent.slice(0, SHORT_ID)} ended: ${event.why}`;
    case "message-lost":
      return lostLine(event);
    case "migration-phase": {
      const { phase, ms, bytes } = event.phase;
      return `agent ${event.agent.slice(0, SHORT_ID)} ${phase} ${formatMs(ms)} ${formatBytes(bytes)}`;
    }
  }
}
