/**
 * `glia journal dead-letters FOLDER`: messages that programs could not handle and that were set aside (docs/spec/mail.md, ML7).
 *
 * DL1. What is shown is what the last checkpoint of a domain holds. Nothing is run and nothing is written.
 */
import { type AsideMessage, discardedOf, isDiscarded, KIND, type MailboxForm } from "@glia-os/durable";
import type { JournalReader } from "@glia-os/store/journal-reader";
import type { Context } from "../context.ts";
import { DomainMissingError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { recordsOf } from "./domain-summary.ts";
import { journalIn } from "./history/with-journal.ts";
import { valuesOf } from "./kept-values.ts";
import { asJson, asText } from "./value-text.ts";

const PAGE = 1_000;

/** Show what was set aside, of one domain or of all. */
export async function journalDeadLetters(
  folder: string,
  { domain }: { readonly domain?: string },
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const journal = journalIn(folder);
  let [shown, dropped] = [0, 0];
  try {
    if (domain !== undefined && (await journal.head(domain)) === undefined)
      throw new DomainMissingError(domain, folder);
    for await (const name of domain === undefined ? namesOf(journal) : [domain]) {
      interrupt.throwIfAborted();
      const mailbox = await mailboxOf(journal, folder, name);
      for (const each of mailbox?.aside ?? []) show(name, each, terminal);
      shown += mailbox?.aside.length ?? 0;
      dropped += mailbox?.dropped ?? 0;
    }
  } finally {
    await journal.close();
  }
  terminal.record({ ok: true, deadLetters: shown, dropped });
  if (shown === 0) terminal.line("No message was set aside.");
  if (dropped > 0) terminal.line(`${dropped} older ones are no longer kept.`);
  return EXIT.ok;
}

function show(
  domain: string,
  { message, attempts, code, text }: AsideMessage,
  terminal: Context["terminal"],
): void {
  terminal.record({
    event: "dead-letter",
    domain,
    message: asJson(message),
    attempts,
    error: { code, message: text },
  });
  terminal.line(`${domain}  ${asText(message)}`);
  terminal.line(`    tried ${attempts} ${attempts === 1 ? "time" : "times"}: ${text} (${code})`);
}

async function* namesOf(journal: JournalReader): AsyncGenerator<string, void, undefined> {
  for (let after = ""; ; ) {
    const heads = await journal.domains(after, PAGE);
    for (const { domain } of heads) yield domain;
    const last = heads.at(-1);
    if (last === undefined) return;
    after = last.domain;
  }
}

/** What the last checkpoint that counts knows of the inbox. O(records). */
async function mailboxOf(
  journal: JournalReader,
  folder: string,
  domain: string,
): Promise<MailboxForm | undefined> {
  const discarded = await discardedOf(journal, domain);
  let last: MailboxForm | undefined;
  const { firstSeq = 1 } = (await journal.head(domain)) ?? {};
  for await (const each of recordsOf(journal, domain, firstSeq, valuesOf(folder, domain))) {
    if ("rollback" in each || isDiscarded(discarded, each.seq)) continue;
    const { record } = each;
    if (record.kind === KIND.checkpoint || record.kind === KIND.upgraded) last = record.renewal.mailbox;
    else if (record.kind === KIND.restart) last = record.facts.renewal?.mailbox ?? last;
  }
  return last;
}
