/** `glia mesh join`: enter a cluster with a join line. */
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { readJoinLine } from "../node/join-line.ts";
import { type MemberOptions, memberSettings } from "../node/member-options.ts";

/** Run it. */
export async function meshJoin(
  source: string,
  options: MemberOptions,
  { terminal, interrupt, stdin }: Context,
): Promise<ExitCode> {
  const settings = memberSettings(options);
  const line = await readJoinLine(source, stdin);
  const { runNode } = await import("../node/run-node.ts");
  return runNode({ ...settings, start: { kind: "join", line } }, terminal, interrupt);
}
