/**
 * `glia agent migrate`: move a running agent to another node.
 *
 * AG1. Interrupting the command cancels the move: it is rolled back unless it was committed already, and the command says which it was.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { MigrateRequest, MigrationReport, NodeApi } from "@glia-os/daemon";
import type { Context } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { chooseAgent } from "../node/choose-agent.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { named } from "../node/name-agent.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";

const AGAIN_MS = 20;

/** Its options. */
export interface AgentMigrateOptions extends NodeChoice {
  readonly strategy?: MigrateRequest["strategy"];
  readonly cancel?: boolean;
}

/** Run it. */
export async function agentMigrate(
  text: string,
  to: string | undefined,
  options: AgentMigrateOptions,
  context: Context,
): Promise<ExitCode> {
  if (options.cancel === true) return cancel(text, options, context);
  if (to === undefined)
    throw new UsageError(
      "Where the agent is to go is missing",
      "Name a node: `glia agent migrate AGENT NODE`.",
    );
  const { terminal } = context;
  const report = await withNode(options, async (node) => {
    const view = await chooseAgent(node, text);
    const moving = move(node, view.agent, to, options, context);
    return named(view, unlessCancelled(node, view.agent, context, moving));
  });
  terminal.record({ ok: true, ...report });
  terminal.line(
    `moved by ${report.strategy}: ${formatBytes(report.bytes)}, down ${formatMs(report.downtimeMs)}, epoch ${report.epoch}`,
  );
  return EXIT.ok;
}

function move(
  node: NodeApi,
  agent: string,
  to: string,
  { strategy }: AgentMigrateOptions,
  { terminal }: Context,
): Promise<MigrationReport> {
  return node.migrate(agent, to, {
    ...(strategy === undefined ? {} : { strategy }),
    onPhase: ({ phase, ms, bytes }) =>
      terminal.line(
        `${phase.padEnd(12)} ${formatMs(ms).padStart(8)}  ${bytes > 0 ? formatBytes(bytes) : ""}`.trimEnd(),
      ),
  });
}

/** The report of a move, which an interrupt cancels (AG1). @throws the reason of the interrupt when the move was rolled back for it */
export async function unlessCancelled(
  node: Pick<NodeApi, "cancelMigration">,
  agent: string,
  { interrupt, terminal }: Pick<Context, "interrupt" | "terminal">,
  moving: Promise<MigrationReport>,
): Promise<MigrationReport> {
  let over = false;
  const stop = async (): Promise<void> => {
    terminal.note("glia: cancelling the move; once more ends the command and leaves the move alone");
    // A move that was asked for and did not begin yet cannot be cancelled yet.
    while (!over) {
      if (await node.cancelMigration(agent).then(Boolean, () => false)) return;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  };
  interrupt.addEventListener("abort", () => void stop(), { once: true });
  try {
    return await moving;
  } catch (error) {
    if (interrupt.aborted && errorCodeOf(error) === "mesh.migration-cancelled") throw interrupt.reason;
    throw error;
  } finally {
    over = true;
  }
}

async function cancel(text: string, choice: NodeChoice, { terminal }: Context): Promise<ExitCode> {
  const { rolledBack } = await withNode(choice, async (node) =>
    node.cancelMigration((await chooseAgent(node, text)).agent),
  );
  terminal.record({ ok: true, rolledBack });
  terminal.line(rolledBack ? "the move was rolled back" : "the move was committed already");
  return EXIT.ok;
}
