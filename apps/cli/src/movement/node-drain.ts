/**
 * `glia node drain` and `glia node undrain`.
 *
 * ND1. Interrupting `drain` leaves the drain going on, and says so: only `undrain` ends it.
 */
import type { DrainView, NodeApi } from "@glia-os/daemon";
import { SHORT_ID } from "../commands/mesh-status.ts";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { AgentsStuckError } from "./errors.ts";

const LOOK_MS = 100;

/** Run `drain`. */
export async function nodeDrain(
  node: string | undefined,
  choice: NodeChoice,
  context: Context,
): Promise<ExitCode> {
  const { terminal } = context;
  const view = await withNode(choice, async (api) => {
    await api.drain(node);
    const done = await untilDone(api, node, context);
    if (!context.interrupt.aborted) return done;
    terminal.note("glia: the drain goes on; `glia node undrain` ends it"); // (ND1)
    throw context.interrupt.reason;
  });
  if (view.stuck.length > 0) {
    for (const { name, why } of view.stuck) terminal.line(`${name} stays: ${why}`);
    throw new AgentsStuckError(view.node, view.stuck);
  }
  terminal.record({ ok: true, ...view });
  terminal.line(`drained: ${view.moved} agents moved, and it takes no new ones until \`glia node undrain\``);
  return EXIT.ok;
}

/** Run `undrain`. */
export async function nodeUndrain(
  node: string | undefined,
  choice: NodeChoice,
  context: Context,
): Promise<ExitCode> {
  const view = await unlessInterrupted(
    context,
    withNode(choice, (api) => api.undrain(node)),
  );
  context.terminal.record({ ok: true, ...view });
  context.terminal.line("it takes agents again");
  return EXIT.ok;
}

/** Until the drain is over or the interrupt comes, with a line for each agent that moved. */
export async function untilDone(
  api: Pick<NodeApi, "drainStatus">,
  node: string | undefined,
  { terminal, interrupt }: Pick<Context, "terminal" | "interrupt">,
): Promise<DrainView> {
  let told = 0;
  for (;;) {
    const view = await api.drainStatus(node);
    const fresh = view.newest.slice(Math.max(0, view.newest.length - (view.moved - told)));
    for (const { name, to } of fresh) {
      terminal.record({ event: "moved", name, to, left: view.left });
      terminal.line(`${name} moved to ${to.slice(0, SHORT_ID)}, ${view.left} left`);
    }
    told = view.moved;
    if (view.state !== "draining" || interrupt.aborted) return view;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
