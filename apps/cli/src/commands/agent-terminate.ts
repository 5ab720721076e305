/** `glia agent terminate`: end an agent. */
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";

/** Run it. */
export async function agentTerminate(text: string, choice: NodeChoice, context: Context): Promise<ExitCode> {
  const work = withNode(choice, async (node) => {
    const chosen = await chooseAgent(node, text);
    await node.terminate(chosen.agent);
    return chosen;
  });
  const { agent, name } = await unlessInterrupted(context, work);
  context.terminal.record({ ok: true, agent, name });
  context.terminal.line(`terminated ${name}`);
  return EXIT.ok;
}
