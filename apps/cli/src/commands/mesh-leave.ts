/** `glia mesh leave`: tell the mesh that a node goes, and stop it. Its folder stays: `--resume` brings it back. */
import { type Context, unlessInterrupted } from "../context.ts";
import { AgentsHostedError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";

/** Its options. */
export interface MeshLeaveOptions extends NodeChoice {
  readonly force?: boolean;
}

/** Run it. Agents of the node would go with it, so it is refused while there are some, unless forced. */
export async function meshLeave(options: MeshLeaveOptions, context: Context): Promise<ExitCode> {
  const work = withNode(options, async (node) => {
    const status = await node.status();
    if (status.hosting > 0 && options.force !== true)
      throw new AgentsHostedError(status.name, status.hosting);
    await node.stop();
    return status;
  });
  const { node, name, hosting } = await unlessInterrupted(context, work);
  context.terminal.record({ ok: true, node, name, agents: hosting });
  context.terminal.line(`${name} left the mesh and stopped`);
  return EXIT.ok;
}
