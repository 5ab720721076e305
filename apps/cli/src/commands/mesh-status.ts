/** `glia mesh status`: the node and its view of the mesh. */
import type { MemberView, NodeStatus } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatHostPort } from "../node/host-port.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";

/** Characters of an id that people see; enough to be told apart and to be typed. */
export const SHORT_ID = 12;

/** Run it. */
export async function meshStatus(choice: NodeChoice, context: Context): Promise<ExitCode> {
  const status = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.status()),
  );
  const { terminal } = context;
  terminal.record({ ok: true, ...status });
  for (const line of statusLines(status)) terminal.line(line);
  return EXIT.ok;
}

/** The lines people see. */
export function statusLines(status: NodeStatus): string[] {
  const memory = formatBytes(status.rssBytes);
  return [
    `${status.name}  ${status.role}  ${status.transport}  up ${formatMs(status.uptimeMs)}  process ${status.pid}  memory ${memory}`,
    `node ${status.node}`,
    `cluster ${status.cluster}`,
    `agents here: ${status.hosting}`,
    "",
    ...formatTable(["name", "role", "state", "node", "address"], status.members.map(memberRow)),
  ];
}

function memberRow(member: MemberView): string[] {
  const marks = [member.anchor ? "anchor" : "", member.self ? "this node" : ""].filter((mark) => mark !== "");
  const role = marks.length === 0 ? member.role : `${member.role} (${marks.join(", ")})`;
  return [member.name, role, member.state, member.node.slice(0, SHORT_ID), formatHostPort(member.address)];
}
