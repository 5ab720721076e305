/** `glia rollback FOLDER DOMAIN --to SEQ`: what a domain did after a record no longer counts. */
import { userInfo } from "node:os";
import type { Journal } from "@glia-os/abi/ports";
import { decodeRecord, KIND, loggedRecords, rollbackDomain } from "@glia-os/durable";
import { openFileJournal } from "@glia-os/store/journal";
import type { Context } from "../../context.ts";
import { DomainMissingError } from "../../errors.ts";
import { EXIT, type ExitCode } from "../../exit-code.ts";
import { boardOf, openAudit } from "../../oversight/oversight-folder.ts";
import { recordNumber } from "./record-number.ts";
import { folderWithJournal } from "./with-journal.ts";

/** Roll a domain back. No program runs in the folder meanwhile. */
export async function rollbackCommand(
  folder: string,
  domain: string,
  options: { readonly to: string; readonly force?: boolean },
  { terminal }: Context,
): Promise<ExitCode> {
  const to = recordNumber("--to", options.to);
  folderWithJournal(folder);
  const journal = await openFileJournal({ folder });
  try {
    if ((await journal.head(domain)) === undefined) throw new DomainMissingError(domain, folder);
    const { seq, discarded, effects } = await rollbackDomain(journal, {
      domain,
      to,
      force: options.force === true,
    });
    const withdrawn = await forget(folder, domain, await clockAt(journal, domain, to));
    for (const each of effects)
      terminal.note(`${each.call} of ${each.task} at record ${each.seq} may happen a second time.`);
    terminal.record({ ok: true, domain, to, seq, discarded, effects, withdrawn });
    terminal.line(`${domain} stands at record ${to} again; ${discarded} records no longer count.`);
    return EXIT.ok;
  } finally {
    await journal.close();
  }
}

/** The time of a domain's clock at a record. */
async function clockAt(journal: Journal, domain: string, to: number): Promise<number> {
  let nowMs = 0;
  for await (const { seq, bytes, row } of loggedRecords(journal, domain)) {
    if (seq > to) break;
    const record = row.kind === KIND.time ? decodeRecord(bytes).record : undefined;
    if (record?.kind === KIND.time) nowMs = record.nowMs;
  }
  return nowMs;
}

/** Let the calls of a domain begin anew, and withdraw what it asked since then. Returns how many approvals were withdrawn. */
async function forget(folder: string, domain: string, sinceMs: number): Promise<number> {
  const { audit, close } = await openAudit(folder);
  try {
    await audit.append({ atMs: Date.now(), action: "rollback", domain, by: userInfo().username });
  } finally {
    await close();
  }
  const prefix = `${domain}:/`;
  return await boardOf(folder).withdraw(({ key, askedMs }) => key.startsWith(prefix) && askedMs >= sinceMs);
}
