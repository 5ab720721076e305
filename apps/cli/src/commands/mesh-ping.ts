/** `glia mesh ping`: ask a node of the mesh to answer. */
import { errorCodeOf, toErrorRecord } from "@glia-os/abi/errors";
import type { ControlConnection, PingReport } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { PingUnansweredError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatMs } from "../terminal/amount.ts";

const COUNT_MAX = 1000;
const PAUSE_MS = 200;
/** A ping that fails with one of these was not answered; anything else is a refusal of the command. */
const UNANSWERED: ReadonlySet<string> = new Set(["mesh.call-timeout", "mesh.peer-unreachable"]);

/** Its options. */
export interface MeshPingOptions extends NodeChoice {
  readonly count: string;
  readonly timeout: string;
}

/** Run it. Exit 1 when nothing was answered. */
export async function meshPing(text: string, options: MeshPingOptions, context: Context): Promise<ExitCode> {
  const count = /^\d{1,4}$/.test(options.count) ? Number(options.count) : 0;
  if (count < 1 || count > COUNT_MAX)
    throw new UsageError(`--count ${options.count.slice(0, 40)} is out of range`, `Give 1 to ${COUNT_MAX}.`);
  const timeoutMs = Math.round(Number(options.timeout) * 1000);
  if (!(timeoutMs >= 1 && timeoutMs <= 60_000))
    throw new UsageError(
      `--timeout ${options.timeout.slice(0, 40)} is out of range`,
      "Give 0.001 to 60 seconds.",
    );
  const answered = await unlessInterrupted(
    context,
    withNode(options, (node) => pingOften(node, { text, count, timeoutMs }, context)),
  );
  if (answered.length === 0) throw new PingUnansweredError(text.slice(0, 80), count);
  const times = answered.map(({ roundTripMs }) => roundTripMs).sort((a, b) => a - b);
  const [minMs, medianMs, maxMs] = [times[0], times[Math.floor(times.length / 2)], times.at(-1)] as number[];
  const [first] = answered as [PingReport];
  context.terminal.record({
    ok: true,
    node: first.node,
    name: first.name,
    sent: count,
    answered: answered.length,
    minMs,
    medianMs,
    maxMs,
    carrier: answered.at(-1)?.carrier,
  });
  const spread = [minMs, medianMs, maxMs].map((ms) => formatMs(ms as number)).join(" / ");
  context.terminal.line(`${answered.length} of ${count} answered; min / median / max ${spread}`);
  return EXIT.ok;
}

async function pingOften(
  node: ControlConnection,
  asked: { readonly text: string; readonly count: number; readonly timeoutMs: number },
  { terminal, interrupt }: Context,
): Promise<PingReport[]> {
  const answered: PingReport[] = [];
  for (let seq = 1; seq <= asked.count && !interrupt.aborted; seq++) {
    if (seq > 1) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    try {
      const report = await node.ping(asked.text, asked.timeoutMs);
      answered.push(report);
      terminal.record({ event: "answer", seq, ...report });
      terminal.line(
        `${report.name}  seq ${seq}  ${formatMs(report.roundTripMs)}  ${report.carrier ?? "this node"}`,
      );
    } catch (error) {
      if (!UNANSWERED.has(errorCodeOf(error) ?? "")) throw error;
      terminal.record({ event: "unanswered", seq, error: toErrorRecord(error) });
      terminal.line(`seq ${seq}  no answer (${errorCodeOf(error)})`);
    }
  }
  return answered;
}
