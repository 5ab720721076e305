/** `glia mesh cert show` and `glia mesh cert rotate`: the certificates of a node. */
import type { CertificateReport } from "@glia-os/daemon";
import { type Context, unlessInterrupted } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { type NodeChoice, withNode } from "../node/choose-node.ts";
import { formatTable } from "../terminal/table.ts";
import { SHORT_ID } from "./mesh-status.ts";

const DAY_MS = 86_400_000;

/** Options of `cert show`. */
export interface CertShowOptions extends NodeChoice {
  readonly pem?: boolean;
}

/** Run `cert show`. With `--pem` standard output has the certificate alone, for `openssl x509`. */
export async function meshCertShow(options: CertShowOptions, context: Context): Promise<ExitCode> {
  const report = await unlessInterrupted(
    context,
    withNode(options, (node) => node.certificates()),
  );
  context.terminal.record({ ok: true, ...report });
  const lines = options.pem === true ? [report.leaf.pem.trimEnd()] : certificateLines(report, Date.now());
  for (const line of lines) context.terminal.line(line);
  return EXIT.ok;
}

/** Run `cert rotate`. */
export async function meshCertRotate(choice: NodeChoice, context: Context): Promise<ExitCode> {
  const rotated = await unlessInterrupted(
    context,
    withNode(choice, (node) => node.rotateCertificate()),
  );
  context.terminal.record({ ok: true, ...rotated });
  context.terminal.line(
    `new sessions are shown a certificate that lasts until ${dateOf(rotated.notAfterMs)}`,
  );
  context.terminal.line("Sessions that are open go on with the one they began with.");
  return EXIT.ok;
}

/** The lines people see. */
export function certificateLines(report: CertificateReport, nowMs: number): string[] {
  const { leaf, membership, holdsClusterKey, peers } = report;
  const until = (ms: number): string => `${dateOf(ms)} (${daysOf(ms - nowMs)})`;
  const signedBy = membership.current
    ? "the newest cluster key"
    : "an older cluster key; renewal is under way";
  const lines = [
    `session certificate     until ${until(leaf.notAfterMs)}`,
    `membership certificate  until ${until(membership.expiresMs)}, issued ${dateOf(membership.issuedMs)}`,
    `                        signed by ${signedBy}`,
    `cluster key             ${holdsClusterKey ? "held by this node" : "not here"}`,
  ];
  if (peers.length === 0) return [...lines, "no open sessions"];
  const rows = peers.map(({ node, name, notAfterMs }) => [
    name ?? "-",
    node.slice(0, SHORT_ID),
    until(notAfterMs),
  ]);
  return [...lines, "", ...formatTable(["peer", "node", "certificate until"], rows)];
}

/** A time to the second, in UTC. */
export function dateOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function daysOf(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  return days === 1 ? "1 day" : `${days} days`;
}
