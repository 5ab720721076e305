/** How an agent stands, in words for people; programs read the fields of its view. */
import type { AgentView } from "@glia-os/daemon";

const FAILURE_CHARS = 80;
const SECONDS = 19;

/** One line without a break. */
export function standingOf({ status, failure, lost, live, goneSinceMs }: AgentView): string {
  if (status === "failed")
    return `failed: ${(failure ?? "nobody knows why any more").slice(0, FAILURE_CHARS)}`;
  if (status === "gone")
    return `waits for its node${goneSinceMs === undefined ? "" : ` since ${timeOf(goneSinceMs)}`}`;
  if (live !== undefined || (status !== "running" && status !== "suspended")) return status;
  return lost === true ? "lost: its node does not have it" : `${status}, owner silent`;
}

function timeOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, SECONDS)}Z`;
}
