/** `glia journal list FOLDER`. */
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { formatBytes } from "../terminal/amount.ts";
import { formatTable } from "../terminal/table.ts";
import { type DomainSummary, summaryOf } from "./domain-summary.ts";
import { journalIn } from "./history/with-journal.ts";

const PAGE = 1_000;

/** List the domains of a journal. */
export async function journalList(
  folder: string,
  _options: unknown,
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const journal = journalIn(folder);
  const found: DomainSummary[] = [];
  for (let after = ""; ; ) {
    const heads = await journal.domains(after, PAGE);
    for (const { domain, bytes } of heads) {
      interrupt.throwIfAborted();
      const summary = await summaryOf(journal, domain, bytes);
      found.push(summary);
      terminal.record({ event: "domain", ...summary });
    }
    const last = heads.at(-1);
    if (last === undefined) break;
    after = last.domain;
  }
  if (journal.cut !== undefined)
    terminal.note(`${journal.cut.file} ends in ${journal.cut.bytes} bytes of a write that is not finished.`);
  await journal.close();
  terminal.record({ ok: true, domains: found.length, cut: journal.cut });
  if (found.length === 0) terminal.line("No domain has a journal here.");
  else for (const line of tableOf(found)) terminal.line(line);
  return EXIT.ok;
}

function tableOf(found: readonly DomainSummary[]): readonly string[] {
  const rows = found.map(({ domain, program, state, waiting, records, bytes, lastMs }) => [
    domain,
    program,
    waiting.length > 0 ? `waits for ${waiting.slice(0, 3).join(", ")}` : state,
    String(records),
    formatBytes(bytes),
    new Date(lastMs).toISOString(),
  ]);
  const aligns = ["left", "left", "left", "right", "right", "left"] as const;
  return formatTable(["DOMAIN", "PROGRAM", "STATE", "RECORDS", "SIZE", "LAST"], rows, aligns);
}
