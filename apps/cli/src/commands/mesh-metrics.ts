/** `glia mesh metrics`: what a node measured, as text that Prometheus reads. */
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";

/** Run it. */
export async function meshMetrics(choice: NodeChoice, context: Context): Promise<ExitCode> {
  const text = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.metrics()),
  );
  context.terminal.record({ ok: true, text });
  context.terminal.line(text.trimEnd());
  return EXIT.ok;
}
