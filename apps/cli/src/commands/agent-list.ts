/** `glia agent list`: the agents that live in the mesh. */
import type { AgentView } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
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
  return formatTable(head, agents.map(agentRow), ["left", "left", "left", "left", "right", "right", "right"]);
}

function agentRow({ name, agent, owner, ownerName, status, failure, epoch, live }: AgentView): string[] {
  const shown =
    status === "failed" ? `failed: ${(failure ?? "nobody knows why any more").slice(0, 80)}` : status;
  return [
    name,
    agent.slice(0, SHORT_ID),
    ownerName ?? owner.slice(0, SHORT_ID),
    live === undefined && status !== "failed" && status !== "exported" ? `${status}, owner silent` : shown,
    String(epoch),
    live === undefined ? "-" : formatCount(live.received),
    live === undefined ? "-" : formatBytes(live.memoryBytes),
  ];
}
