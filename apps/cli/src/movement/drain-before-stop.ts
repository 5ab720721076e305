/** What a node in the foreground does with its agents when it is told to stop: it gives them away, for a limited time. */
import type { NodeApi } from "@glia-os/daemon";
import type { Terminal } from "../terminal/terminal.ts";
import { untilDone } from "./node-drain.ts";

/** Drain a node that stops; comes back when it is empty, nothing more can move, or the time is over. */
export async function drainBeforeStop(
  node: Pick<NodeApi, "drain" | "drainStatus">,
  limitMs: number,
  terminal: Terminal,
): Promise<void> {
  const late = AbortSignal.timeout(limitMs);
  try {
    await node.drain(undefined, false);
    const view = await untilDone(node, undefined, { terminal, interrupt: late });
    for (const { name, why } of view.stuck) terminal.line(`${name} stays and ends: ${why}`);
    terminal.record({ event: "drained", moved: view.moved, left: view.left });
  } catch (error) {
    terminal.note(`glia: the node stops with its agents: ${String(error)}`);
  }
}
