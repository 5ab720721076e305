/** `glia agent list`: the agents that live in the mesh. */
import type { AgentView } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { standingOf } from "../node/agent-standing.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatBytes, formatCount } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";
import { SHORT_ID } from "./mesh-status.ts";

/** Run it. */
export async function agentList(choice: NodeChoice, context: Context): Promise<ExitCode> {
  const agents = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.listAgents()),
  );
  context.terminal.record({ ok: true, agents });
  for (const line of agentLines(agents)) context.terminal.line(line);
  return EXIT.ok;
}

/** The lines people see. */
export function agentLines(agents: readonly AgentView[]): string[] {
  if (agents.length === 0) return ["no agents"];
  const head = ["name", "agent", "on", "status", "epoch", "received", "memory"];
  const replicas = agents.some((agent) => agent.replicas !== undefined || agent.live?.replica !== undefined);
  const versions = agents.some(({ live }) => live?.code !== undefined);
  const more = [...(versions ? ["version"] : []), ...(replicas ? ["replicas"] : [])];
  const rows = agents.map((agent) => [
    ...agentRow(agent),
    ...(versions ? [versionOf(agent)] : []),
    ...(replicas ? [replicasOf(agent)] : []),
  ]);
  const sides = ["left", "left", "left", "left", "right", "right", "right"] as const;
  return formatTable([...head, ...more], rows, [...sides, ...more.map(() => "left" as const)]);
}

/** What it runs, once it was upgraded. */
function versionOf({ live }: AgentView): string {
  return live?.code === undefined ? "-" : `${live.code.name} ${live.code.version}`;
}

/** Where copies of it are, how they stand, and how many there are where more are wanted. */
export function replicasOf({ replicas = [], live }: AgentView): string {
  const view = live?.replica;
  if (view === undefined) return replicas.map((node) => node.slice(0, SHORT_ID)).join(" ") || "-";
  const nodes = view.nodes.map(
    ({ node, state }) => `${node.slice(0, SHORT_ID)}${state === "fed" ? "" : ` ${state}`}`,
  );
  const fed = view.nodes.filter(({ state }) => state === "fed").length;
  const some = view.wanted > 1 && fed < view.wanted ? [`${fed} of ${view.wanted}`] : [];
  return [...some, ...(nodes.length === 0 ? ["missing"] : nodes)].join(" ");
}

function agentRow(view: AgentView): string[] {
  const { name, agent, owner, ownerName, epoch, live } = view;
  return [
    name,
    agent.slice(0, SHORT_ID),
    ownerName ?? owner.slice(0, SHORT_ID),
    standingOf(view),
    String(epoch),
    live === undefined ? "-" : formatCount(live.received),
    live === undefined ? "-" : formatBytes(live.memoryBytes),
  ];
}
