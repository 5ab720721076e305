/** `glia audit show` and `glia audit verify`: the audit of a journal, or a copy of one. */
import { readFile, stat } from "node:fs/promises";
import { AuditBrokenError, type AuditEntry, type AuditHead, auditEntries } from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { Context } from "../context.ts";
import { InputUnreadableError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { auditPath } from "./oversight-folder.ts";

/** Check a chain, and against a head that was noted before. */
export async function auditVerify(
  path: string,
  options: { readonly head?: string },
  { terminal }: Context,
): Promise<ExitCode> {
  const noted = options.head === undefined ? undefined : headOf(options.head);
  let met = noted === undefined || noted.number === 0;
  const head = each(await auditBytes(path), ({ number, hash }) => {
    met ||= number === noted?.number && hash === noted.hash;
  });
  if (!met && noted !== undefined)
    throw new AuditBrokenError(noted.number, "the noted head is not among the entries: its end was cut off");
  const shown = `${head.number}:${head.hash}`;
  terminal.record({ ok: true, entries: head.number, head: shown });
  terminal.line(`${head.number} entries, each continues the one before.`);
  terminal.line(`Head: ${shown}`);
  return EXIT.ok;
}

/** Show entries. */
export async function auditShow(
  path: string,
  { domain }: { readonly domain?: string },
  { terminal }: Context,
): Promise<ExitCode> {
  let entries = 0;
  each(await auditBytes(path), (entry) => {
    if (domain !== undefined && entry.domain !== domain) return;
    entries += 1;
    terminal.record({ event: "entry", ...entry });
    terminal.line(lineOf(entry));
  });
  terminal.record({ ok: true, entries });
  return EXIT.ok;
}

function each(bytes: Uint8Array, visit: (entry: AuditEntry) => void): AuditHead {
  const entries = auditEntries(bytes, createSystemDigests());
  for (let next = entries.next(); ; next = entries.next()) {
    if (next.done === true) return next.value;
    visit(next.value);
  }
}

/** The bytes of an audit: of a file, or of a journal's folder. */
async function auditBytes(path: string): Promise<Uint8Array> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    return await readFile(isFolder ? auditPath(path) : path);
  } catch (error) {
    throw new InputUnreadableError(path, error);
  }
}

function headOf(text: string): AuditHead {
  const found = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text);
  if (found !== null) return { number: Number(found[1]), hash: found[2] as string };
  throw new UsageError(
    `--head ${text.slice(0, 40)} is no head`,
    "Give what glia audit verify printed: NUMBER:HASH.",
  );
}

function lineOf({
  number,
  atMs,
  action,
  domain,
  key,
  call,
  service,
  by,
  reason,
  mode,
  code,
}: AuditEntry): string {
  const what = [call, service && `of ${service}`].filter(Boolean).join(" ");
  const facts = [mode && `(${mode})`, by && `by ${by}`, reason && `: ${reason}`, code]
    .filter(Boolean)
    .join(" ");
  const who = key ?? domain;
  return `${String(number).padStart(6)}  ${new Date(atMs).toISOString()}  ${action.padEnd(8)}  ${who}  ${what} ${facts}`.trimEnd();
}
