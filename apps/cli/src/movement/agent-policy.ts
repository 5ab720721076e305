/** `glia agent policy`: the policies that move agents, of every node or of one, and turning one on or off. */
import type { ConditionedNode, NodeCondition } from "@glia-os/daemon";
import { SHORT_ID } from "../commands/mesh-status.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatTable } from "../terminal/table.ts";

/** Its options. */
export interface AgentPolicyOptions extends NodeChoice {
  readonly on?: string;
  readonly off?: string;
  readonly node?: string;
}

/** Run it. */
export async function agentPolicy(options: AgentPolicyOptions, context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const { on, off, node } = options;
  const policy = on ?? off;
  if (on !== undefined && off !== undefined)
    throw new UsageError("--on and --off exclude each other", "Give one.");
  if (policy !== undefined) {
    const condition = await unlessInterrupted(
      context,
      withNode(options, (api) => api.setPolicy(policy, on !== undefined, node)),
    );
    terminal.record({ ok: true, ...condition });
    terminal.line(
      `policies of ${condition.node.slice(0, SHORT_ID)}: ${condition.policies.join(", ") || "none"}`,
    );
    return EXIT.ok;
  }
  const nodes = await unlessInterrupted(
    context,
    withNode(options, (api) => api.conditions()),
  );
  terminal.record({ ok: true, nodes });
  for (const line of formatTable(["node", "policies", "triggers", "last move"], nodes.map(rowOf)))
    terminal.line(line);
  return EXIT.ok;
}

function rowOf({ name, condition }: ConditionedNode): string[] {
  if (condition === undefined) return [name, "it does not answer", "", ""];
  const { policies, standing } = condition;
  return [name, policies.join(", ") || "none", standing.join(", ") || "none", lastMove(condition)];
}

function lastMove({ moves }: NodeCondition): string {
  const last = moves.at(-1);
  if (last === undefined) return "none";
  const { name, to, policy, why } = last;
  return `${name} to ${to?.slice(0, SHORT_ID) ?? "nowhere"} by ${policy} (${why})`;
}
