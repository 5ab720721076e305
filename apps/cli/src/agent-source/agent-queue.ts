/** `glia agent queue`: what a node keeps for agents elsewhere, and what it gave up. */
import type { QueueView } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { lostLine } from "../node/event-line.ts";
import { formatBytes } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";

/** Its options. */
export interface AgentQueueOptions extends NodeChoice {
  readonly drop?: string;
}

const LOST_SHOWN = 10;

/** Run it. */
export async function agentQueue(options: AgentQueueOptions, context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const { drop } = options;
  const work = withNode(options, async (node) => {
    const dropped = drop === undefined ? undefined : await node.dropQueued(drop);
    const [view, agents] = [await node.queued(), await node.listAgents()];
    return { dropped, view, names: new Map<string, string>(agents.map(({ agent, name }) => [agent, name])) };
  });
  const { dropped, view, names } = await unlessInterrupted(context, work);
  terminal.record({ ok: true, ...(dropped === undefined ? {} : { dropped }), ...view });
  if (dropped !== undefined) terminal.line(`${dropped} ${dropped === 1 ? "message" : "messages"} given up`);
  for (const line of linesOf(view, names)) terminal.line(line);
  return EXIT.ok;
}

function linesOf({ waiting, lost }: QueueView, names: ReadonlyMap<string, string>): readonly string[] {
  const rows = waiting.map(({ agent, messages, bytes, out, untilMs }) => [
    names.get(agent) ?? agent,
    `${messages}`,
    formatBytes(bytes),
    `${out}`,
    new Date(untilMs).toISOString(),
  ]);
  const table = formatTable(["agent", "messages", "bytes", "out", "oldest is kept until"], rows);
  return [...(rows.length === 0 ? ["nothing is queued"] : table), ...lost.slice(-LOST_SHOWN).map(lostLine)];
}
