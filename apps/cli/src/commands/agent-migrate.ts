/** `glia agent migrate`: move a running agent to another node. */
import type { MigrateRequest } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";

/** Run it. Interrupting the command does not stop the move: the mesh finishes or rolls it back. */
export async function agentMigrate(
  text: string,
  to: string,
  options: NodeChoice & { readonly strategy?: MigrateRequest["strategy"] },
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context;
  const work = withNode(options, async (node) => {
    const { agent } = await chooseAgent(node, text);
    return node.migrate(agent, to, {
      ...(options.strategy === undefined ? {} : { strategy: options.strategy }),
      onPhase: ({ phase, ms, bytes }) =>
        terminal.line(
          `${phase.padEnd(12)} ${formatMs(ms).padStart(8)}  ${bytes > 0 ? formatBytes(bytes) : ""}`.trimEnd(),
        ),
    });
  });
  const report = await unlessInterrupted(context, work);
  terminal.record({ ok: true, ...report });
  terminal.line(
    `moved by ${report.strategy}: ${formatBytes(report.bytes)}, down ${formatMs(report.downtimeMs)}, epoch ${report.epoch}`,
  );
  return EXIT.ok;
}
