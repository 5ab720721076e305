/**
 * How the parts of a node are, each by itself: what `/__health` says.
 *
 * CH1. `down`: the part does not do its work; `degraded`: it does, not as it should; `ok`. A part that the node does not have is not there.
 */
import type { NodeStatus } from "../node-views.ts";

/** How a part is (CH1). */
export type ComponentState = "ok" | "degraded" | "down";

/** One part, and why it is not well. */
export interface ComponentHealth {
  readonly state: ComponentState;
  readonly why?: string;
}

/** Jobs waiting for each slot from which on a node is overloaded (docs/spec/balance.md). */
const WAITING_PER_SLOT = 8;

const OK: ComponentHealth = { state: "ok" };
const degraded = (why: string): ComponentHealth => ({ state: "degraded", why });
const down = (why: string): ComponentHealth => ({ state: "down", why });

/** The parts of a node by name. */
export function componentsOf(status: NodeStatus): Readonly<Record<string, ComponentHealth>> {
  const anchor = anchorHealth(status);
  const jobs = jobsHealth(status);
  return {
    mesh: meshHealth(status),
    ...(anchor === undefined ? {} : { anchor }),
    wire: wireHealth(status),
    agents: status.health.agentsStalled ? down("the agents' thread stands still") : OK,
    ...(jobs === undefined ? {} : { jobs }),
  };
}

function meshHealth({ health: { quorum, healthScore } }: NodeStatus): ComponentHealth {
  if (quorum === "lost") return down("no majority of the mesh is in reach");
  if (quorum === "partition") return degraded("members are out of reach");
  if (healthScore > 0) return degraded(`this node doubts its own judgement: ${healthScore} of 7`);
  return OK;
}

function anchorHealth({ members }: NodeStatus): ComponentHealth | undefined {
  const anchor = members.find((member) => member.anchor);
  if (anchor === undefined || anchor.state === "alive") return anchor && OK;
  return anchor.state === "suspect"
    ? degraded(`${anchor.name} does not answer`)
    : down(`${anchor.name} is ${anchor.state}: nothing can be spawned or moved`);
}

function wireHealth({ wire: { whyNoQuic } }: NodeStatus): ComponentHealth {
  return whyNoQuic === undefined ? OK : degraded(`requests go over TLS: ${whyNoQuic}`);
}

function jobsHealth({ jobs }: NodeStatus): ComponentHealth | undefined {
  if (jobs === undefined) return undefined;
  const { waiting, slots } = jobs;
  return waiting >= WAITING_PER_SLOT * slots ? degraded(`${waiting} jobs wait for ${slots} places`) : OK;
}
