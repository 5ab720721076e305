/** `glia mesh members`: everybody in the mesh, with what the node's sessions go over. */
import type { MemberDetail } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatHostPort } from "../node/host-port.ts";
import { formatBytes, formatMs } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";
import { SHORT_ID } from "./mesh-status.ts";

/** Run it. */
export async function meshMembers(choice: NodeChoice, context: Context): Promise<ExitCode> {
  const members = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.members()),
  );
  context.terminal.record({ ok: true, members });
  for (const line of memberLines(members)) context.terminal.line(line);
  return EXIT.ok;
}

/** The lines people see. */
export function memberLines(members: readonly MemberDetail[]): string[] {
  const head = [
    "name",
    "role",
    "state",
    "node",
    "address",
    "requests",
    "datagrams",
    "round trip",
    "in",
    "out",
  ];
  const right = ["left", "left", "left", "left", "left", "left", "left", "right", "right", "right"] as const;
  return formatTable(head, members.map(rowOf), right);
}

function rowOf(member: MemberDetail): string[] {
  const { name, role, state, node, address, session } = member;
  const about = [name, role, state, node.slice(0, SHORT_ID), formatHostPort(address)];
  if (member.self) return [...about, "this node", "", "", "", ""];
  if (session === undefined) return [...about, "no session", "", "", "", ""];
  const { carriers, rttMs, bytesIn, bytesOut } = session;
  const roundTrip = rttMs === undefined ? "-" : formatMs(rttMs);
  return [
    ...about,
    carriers.request,
    carriers.datagram,
    roundTrip,
    formatBytes(bytesIn),
    formatBytes(bytesOut),
  ];
}
