/** `glia agent pause` and `glia agent resume`: let an agent stand still, and go on. */
import type { AgentView, NodeApi } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";

async function change(
  text: string,
  choice: NodeChoice,
  context: Context,
  act: (node: NodeApi, agent: string) => Promise<AgentView>,
): Promise<ExitCode> {
  const work = withNode(choice, async (node) => act(node, (await chooseAgent(node, text)).agent));
  const view = await unlessInterrupted(context, work);
  const { terminal } = context;
  terminal.record({ ok: true, ...view });
  const waiting = view.live?.waiting ?? 0;
  terminal.line(
    `${view.name} is ${view.status} on ${view.ownerName ?? view.owner}, epoch ${view.epoch}, ${waiting} messages wait`,
  );
  return EXIT.ok;
}

/** Let it stand still. */
export const agentPause = (text: string, choice: NodeChoice, context: Context): Promise<ExitCode> =>
  change(text, choice, context, (node, agent) => node.pause(agent));

/** Let it go on. */
export const agentResume = (text: string, choice: NodeChoice, context: Context): Promise<ExitCode> =>
  change(text, choice, context, (node, agent) => node.resume(agent));
