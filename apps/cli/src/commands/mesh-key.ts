/** `glia mesh key rotate`: replace the cluster's key. */
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { parseTime } from "./join-line-limits.ts";
import { dateOf } from "./mesh-cert.ts";

const DAY_MS = 86_400_000;

/** Its options. */
export interface KeyRotateOptions extends NodeChoice {
  readonly overlap: string;
}

/** Run it. */
export async function meshKeyRotate(options: KeyRotateOptions, context: Context): Promise<ExitCode> {
  const overlapMs = parseTime("--overlap", options.overlap, {
    minMs: 0,
    maxMs: 30 * DAY_MS,
    range: "0s to 30d",
  });
  const { untilMs } = await unlessInterrupted(
    context,
    withNode(options, (node) => node.rotateClusterKey({ overlapMs })),
  );
  context.terminal.record({ ok: true, untilMs });
  context.terminal.line(`the cluster has a new key; what the old one signed counts until ${dateOf(untilMs)}`);
  context.terminal.line("Members renew their certificates now; join lines stay as they are.");
  return EXIT.ok;
}
