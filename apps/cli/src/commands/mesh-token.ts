/** `glia mesh token create`: a new join line. */
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { type JoinLineOptions, joinLineLimits } from "./join-line-limits.ts";

/** Run it. Standard output has the join line alone, so that it can be piped into `glia mesh join -`. */
export async function meshTokenCreate(
  options: NodeChoice & JoinLineOptions,
  context: Context,
): Promise<ExitCode> {
  const limits = joinLineLimits(options);
  const joinLine = await unlessInterrupted(
    context,
    withNode(options, (node) => node.createJoinLine(limits)),
  );
  context.terminal.record({ ok: true, joinLine, ...limits });
  context.terminal.line(joinLine);
  return EXIT.ok;
}
