/** `glia journal show FOLDER DOMAIN`. */
import {
  discardedOf,
  isDiscarded,
  KIND,
  type NumberedRecord,
  nameOfSender,
  type Outcome,
  type RestartFacts,
} from "@glia-os/durable";
import type { Context } from "../context.ts";
import { DomainMissingError, UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { callName, recordsOf } from "./domain-summary.ts";
import { journalIn } from "./history/with-journal.ts";
import { asJson, asText } from "./value-text.ts";

/** Its options, as texts. */
export interface ShowOptions {
  readonly from: string;
  readonly values?: boolean;
}

/** Show the records of one domain. */
export async function journalShow(
  folder: string,
  domain: string,
  { from, values = false }: ShowOptions,
  { terminal, interrupt }: Context,
): Promise<ExitCode> {
  const first = /^\d{1,15}$/.test(from) ? Number(from) : 0;
  if (first < 1)
    throw new UsageError(`--from ${from.slice(0, 40)} is no record number`, "Give a whole number from 1 up.");
  const journal = journalIn(folder);
  if ((await journal.head(domain)) === undefined) throw new DomainMissingError(domain, folder);
  const discarded = await discardedOf(journal, domain);
  let records = 0;
  for await (const each of recordsOf(journal, domain, first)) {
    interrupt.throwIfAborted();
    records += 1;
    const { seq, bytes } = each;
    const goesBack = "rollback" in each;
    const { what, task, value } = goesBack
      ? { what: `goes back to record ${each.rollback}`, task: undefined, value: undefined }
      : described(each);
    const gone = !goesBack && isDiscarded(discarded, seq);
    terminal.record({
      event: "record",
      seq,
      what,
      task,
      bytes,
      ...(gone ? { discarded: true } : {}),
      ...(values ? { value: asJson(value) } : {}),
    });
    const shown = values && value !== undefined ? `  ${asText(value)}` : "";
    const text = `${task === undefined ? "" : `${task}: `}${what}${shown}${gone ? "  (discarded)" : ""}`;
    terminal.line(`${String(seq).padStart(6)}  ${text}`);
  }
  await journal.close();
  terminal.record({ ok: true, domain, records });
  return EXIT.ok;
}

/** A record in words. */
export interface Described {
  readonly what: string;
  /** The path of the task, when the record is one task's. */
  readonly task?: string;
  readonly value?: unknown;
}

/** Say what a record says. */
export function described({ record }: Pick<NumberedRecord, "record">): Described {
  switch (record.kind) {
    case KIND.spawn: {
      const { program, input, uses } = record.beginning;
      const services = uses.length === 0 ? "" : `, with ${uses.map(([name]) => name).join(", ")}`;
      return { what: `begins ${program}${services}`, value: input };
    }
    case KIND.checkpoint:
      return { what: "begins anew from a checkpoint", value: record.renewal.beginning.input };
    case KIND.upgraded:
      return { what: "goes on with other code", value: record.renewal.beginning.input };
    case KIND.moved:
      return { what: `is given to ${record.to}` };
    case KIND.restart:
      return describedRestart(record.facts);
    case KIND.time:
      return { what: `it is ${new Date(record.nowMs).toISOString()}` };
    case KIND.message:
      return { what: "a message comes in", value: record.payload };
    case KIND.mail:
      return {
        what: `message ${record.number} of ${nameOfSender(record.from)} comes in`,
        value: record.payload,
      };
    case KIND.cancel:
      return { what: "is asked to end", value: record.reason };
    case KIND.intent:
      return { what: `is about to ${callName(record.op)}`, task: taskOf(record.path) };
    case KIND.resume:
      return {
        what: `${callName(record.op)} ${shown(record.outcome)}`,
        task: taskOf(record.path),
        value: resultOf(record.outcome),
      };
    case KIND.exit:
      return {
        what: record.outcome.failed ? `ends: ${shown(record.outcome)}` : "ends",
        value: resultOf(record.outcome),
      };
  }
}

/** How a domain goes on after a failure, or why it does not. */
function describedRestart({ choice, to, at, error, refusal, renewal }: RestartFacts): Described {
  const failed = `after ${error.code} at record ${at.seq}`;
  if (choice === "fresh") return { what: `begins afresh ${failed}`, value: renewal?.beginning.input };
  if (choice === "escalate") return { what: `is not restarted ${failed}`, value: refusal?.message };
  const how = choice === "replace" ? "goes on with another result" : "goes on";
  return { what: `${how} from record ${to} ${failed}` };
}

function taskOf(path: readonly number[]): string {
  return ["/0", ...path].join("/");
}

function shown(outcome: Outcome): string {
  return outcome.failed ? `failed: ${outcome.error.code}` : "answered";
}

function resultOf(outcome: Outcome): unknown {
  return outcome.failed ? outcome.error.message : outcome.value;
}
