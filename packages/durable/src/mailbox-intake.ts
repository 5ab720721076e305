/** Messages of other domains on their way into an inbox, one by one (docs/spec/mail.md). */
import type { DomainRun } from "./domain-run.ts";
import type { Delivery, DeliveryState, Receipt } from "./mailbox-delivery.ts";
import { KIND, type MailRecord } from "./record.ts";

/** What became of one message: it was recorded, it was known, or the delivery ends before it. */
export type TakenMail =
  | { readonly took: "recorded" | "known" }
  | { readonly took: "none"; readonly state: DeliveryState; readonly refusal?: unknown };

const END: TakenMail = { took: "none", state: "ok" };
const KNOWN: TakenMail = { took: "known" };
const FULL: TakenMail = { took: "none", state: "full" };

/**
 * Take in the message at a place of a delivery. `keep` makes its record, hands that over, and writes it when it was taken; it throws what
 * cannot be recorded.
 */
export function takeMail(
  run: DomainRun,
  { from, token, messages }: Delivery,
  at: number,
  keep: (record: MailRecord, take: (reread: MailRecord) => boolean) => boolean,
  seq: number,
): TakenMail {
  const item = messages[at];
  if (item === undefined) return END;
  const { links } = run.mailbox;
  const judgement = links.judge(from, item.number, token);
  if (judgement === "known") return KNOWN;
  if (judgement !== "new") return { took: "none", state: judgement };
  const [settled, forgotten] = [links.toSettle(), links.toForget(from)];
  const mail = {
    kind: KIND.mail,
    from,
    number: item.number,
    payload: item.message,
    settled,
    forgotten,
  } as const;
  try {
    return keep(mail, (reread) => run.acceptMail(reread, seq)) ? { took: "recorded" } : FULL;
  } catch (refusal) {
    return { took: "none", state: "ok", refusal };
  }
}

/** What to say of a delivery that ended, by what the domain remembers of its sender. */
export function receiptFor(
  run: DomainRun,
  { from, messages }: Delivery,
  token: number,
  { state, refusal }: { readonly state: DeliveryState; readonly refusal?: unknown },
): Receipt {
  const last = run.mailbox.links.lastOf(from);
  const accepted = messages.findLast(({ number }) => number <= last)?.number ?? 0;
  if (accepted === messages.at(-1)?.number) return { accepted, state: "ok", token };
  return { accepted, state, token, ...(refusal === undefined ? {} : { refusal }) };
}
