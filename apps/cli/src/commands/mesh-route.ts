/** `glia mesh route`: how messages to an agent or a node go from the node that is asked. */
import type { RouteReport } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatHostPort } from "../node/host-port.ts";
import { SHORT_ID } from "./mesh-status.ts";

/** Run it. */
export async function meshRoute(target: string, choice: NodeChoice, context: Context): Promise<ExitCode> {
  const report = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.route(target)),
  );
  context.terminal.record({ ok: true, ...report });
  for (const line of routeLines(target, report)) context.terminal.line(line);
  return EXIT.ok;
}

/** The lines people see. */
export function routeLines(target: string, report: RouteReport): string[] {
  const { agent, registry, coordination, node, name, state, address } = report;
  const short = (id: string): string => id.slice(0, SHORT_ID);
  const lines: string[] = [];
  if (agent !== undefined) {
    lines.push(`agent     ${target === agent ? agent : `${target} (${agent})`}`);
    lines.push(
      registry === undefined
        ? "registry  has no record"
        : `registry  on ${short(registry.owner)}, epoch ${registry.epoch}, found in ${hops(registry.hops)}`,
    );
    lines.push(
      coordination === undefined
        ? "anchor    does not answer: the registry's hint is used"
        : `anchor    on ${short(coordination.owner)}, epoch ${coordination.epoch}`,
    );
  }
  const where = address === undefined ? "" : `  ${formatHostPort(address)}`;
  lines.push(`node      ${name ?? "not known here"}  ${short(node)}  ${state ?? "unknown"}${where}`);
  lines.push(`way       ${wayOf(report)}`);
  return lines;
}

function hops(count: number): string {
  if (count === 0) return "this node";
  return count === 1 ? "1 hop" : `${count} hops`;
}

function wayOf({ way, carrier, relays }: RouteReport): string {
  const through = relays.map(({ name }) => name).join(", ") || "none";
  if (way === "here") return "it is this node";
  if (way === "session") return `an open session over ${carrier}`;
  if (way === "dial") return "it would be dialled";
  return `no direct way; relays that could pass messages on: ${through}`;
}
