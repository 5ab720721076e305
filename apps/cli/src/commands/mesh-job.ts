/** `glia mesh job`: run jobs of a node's module, wherever in the mesh there is room. */
import { type Context, unlessInterrupted } from "../context.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";

const COUNT_MAX = 1000;
/** What one connection to the node may have in flight. */
const AT_ONCE = 200;

/** Its options. */
export interface MeshJobOptions extends NodeChoice {
  readonly payload: string;
  readonly count: string;
}

/** Run it. Results are printed in the order they come; the first that fails ends the command. */
export async function meshJob(entry: string, options: MeshJobOptions, context: Context): Promise<ExitCode> {
  const payload = payloadOf(options.payload);
  const count = countOf(options.count);
  const { terminal } = context;
  let left = count;
  const work = withNode(options, async (node) => {
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const result = await node.submitJob({ entry, payload });
        terminal.record({ event: "result", result: result ?? null });
        terminal.line(typeof result === "string" ? result : JSON.stringify(result ?? null));
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, lane));
  });
  await unlessInterrupted(context, work);
  terminal.record({ ok: true, entry, count });
  return EXIT.ok;
}

function payloadOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError("--payload is no JSON", "Write for example --payload '{\"width\":80}'.");
  }
}

function countOf(text: string): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= COUNT_MAX) return count;
  throw new UsageError(`--count ${text.slice(0, 40)} is out of range`, `Give 1 to ${COUNT_MAX}.`);
}
