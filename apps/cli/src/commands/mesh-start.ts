/** `glia mesh start`: found a cluster, or take up again the one in the data folder. */
import type { Context } from "../context.ts";
import type { ExitCode } from "../exit-code.ts";
import { type MemberOptions, memberSettings } from "../node/member-options.ts";
import type { ForegroundNode } from "../node/run-node.ts";
import { type JoinLineOptions, joinLineLimits } from "./join-line-limits.ts";

/** Its options. */
export interface MeshStartOptions extends JoinLineOptions, MemberOptions {
  readonly resume?: boolean;
}

/** Run it. */
export async function meshStart(
  options: MeshStartOptions,
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const settings: ForegroundNode = {
    ...memberSettings(options),
    start: options.resume === true ? { kind: "resume" } : { kind: "new-cluster" },
    joinLine: joinLineLimits(options),
  };
  const { runNode } = await import("../node/run-node.ts");
  return runNode(settings, terminal, interrupt);
}
