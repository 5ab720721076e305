/** `glia mesh remove`: put a node out of the mesh for good. */
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";

/** Run it. */
export async function meshRemove(text: string, choice: NodeChoice, context: Context): Promise<ExitCode> {
  const { node, name } = await unlessInterrupted(
    context,
    withNode(choice, (connection) => connection.removeNode(text)),
  );
  context.terminal.record({ ok: true, node, name });
  context.terminal.line(`removed ${name ?? "a node not known here"} (${node})`);
  context.terminal.line("It comes back only with a join line made from now on.");
  return EXIT.ok;
}
