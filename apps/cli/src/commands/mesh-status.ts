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
    ...jobLines(status),
    ...meshLines(status),
    "",
    ...formatTable(["name", "role", "state", "node", "address"], status.members.map(memberRow)),
  ];
}

const QUORUM = {
  whole: "a majority is in reach",
  partition: "many members are out of reach",
  lost: "NO majority is in reach",
} as const;

function meshLines({ wire, health }: NodeStatus): string[] {
  const { sessions, overQuic, overUdp } = wire;
  const mdns = wire.mdns ? ", multicast DNS on" : "";
  const doubt = health.healthScore === 0 ? "well" : `doubts itself (${health.healthScore} of 7)`;
  const lines = [
    `wire: ${wire.mode}; ${sessions} sessions, ${overQuic} over QUIC, datagrams of ${overUdp} over UDP${mdns}`,
    `mesh: profile ${health.profile}, ${QUORUM[health.quorum]}, without one: ${health.minorityPolicy}; ${doubt}`,
  ];
  if (wire.whyNoQuic !== undefined) lines.push(`no QUIC: ${wire.whyNoQuic}`);
  if (health.agentsStalled) lines.push("the agents' thread stands still; the lease is not renewed");
  return lines;
}

function jobLines({ jobs }: NodeStatus): string[] {
  if (jobs === undefined) return [];
  const { running, slots, waiting, given, held, finished, failed, stolen, lost, forwarded } = jobs;
  return [
    `jobs: ${running} of ${slots} run, ${waiting} wait, ${given} are elsewhere, ${held} are of others; ${finished} done, ${failed} failed`,
    `jobs moved: ${forwarded} given, ${stolen} taken, ${lost} taken by others`,
  ];
}

function memberRow(member: MemberView): string[] {
  const marks = [member.anchor ? "anchor" : "", member.self ? "this node" : ""].filter((mark) => mark !== "");
  const role = marks.length === 0 ? member.role : `${member.role} (${marks.join(", ")})`;
  return [member.name, role, member.state, member.node.slice(0, SHORT_ID), formatHostPort(member.address)];
}
