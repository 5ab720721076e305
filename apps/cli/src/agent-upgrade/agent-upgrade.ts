/** `glia agent upgrade` and `glia agent rollback`: another code for agents that live (docs/upgrades.md). */
import type { UpgradeReport } from "@glia-os/daemon";
import { durableOf, moduleOf } from "../commands/agent-spawn.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { withNode } from "../node/choose-node.ts";
import { named } from "../node/name-agent.ts";
import { agentsNamed, isPattern, upgradeGroup } from "./upgrade-group.ts";
import { upgradeLine } from "./upgrade-line.ts";
import {
  type AgentUpgradeOptions,
  groupPlan,
  refuseGroupOptions,
  requestOptions,
} from "./upgrade-options.ts";

/** Run it. */
export async function agentUpgrade(
  text: string,
  path: string,
  options: AgentUpgradeOptions,
  context: Context,
): Promise<ExitCode> {
  const more = requestOptions(options);
  if (!isPattern(text)) refuseGroupOptions(options);
  const { bytes } = await (options.durable === true ? durableOf(path) : moduleOf(path));
  const request = { ...more, module: bytes };
  if (isPattern(text))
    return withNode(options, async (node) => {
      const agents = await agentsNamed(node, text);
      const plan = groupPlan(agents.length, options);
      return upgradeGroup({ node, agents, request, plan, context });
    });
  const work = withNode(options, async (node) => {
    const agent = await chooseAgent(node, text);
    return named(agent, node.upgrade(agent.agent, request));
  });
  return told(await unlessInterrupted(context, work), context);
}

/** Go back to the code before the last upgrade. */
export async function agentRollback(
  text: string,
  options: AgentUpgradeOptions,
  context: Context,
): Promise<ExitCode> {
  const { timeoutMs } = requestOptions(options);
  const work = withNode(options, async (node) => {
    const agent = await chooseAgent(node, text);
    return named(agent, node.rollback(agent.agent, timeoutMs));
  });
  return told(await unlessInterrupted(context, work), context);
}

function told(report: UpgradeReport, { terminal }: Context): ExitCode {
  terminal.record({ ok: true, ...report });
  terminal.line(upgradeLine(report));
  return EXIT.ok;
}
