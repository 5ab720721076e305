/** `glia diff FOLDER A B`: where two domains part. */
import {
  callBefore,
  type DomainOf,
  type DurableProgram,
  decodeRecord,
  diffDomains,
  type LoggedRecord,
  type RecordPair,
} from "@glia-os/durable";
import { createSystemDigests } from "@glia-os/hal";
import type { JournalReader } from "@glia-os/store/journal-reader";
import type { Context } from "../../context.ts";
import { DomainMissingError } from "../../errors.ts";
import { EXIT, type ExitCode } from "../../exit-code.ts";
import { described } from "../journal-show.ts";
import { loadDurable } from "../load-durable.ts";
import { asJson, asText } from "../value-text.ts";
import { programFrames } from "./program-frames.ts";
import { journalIn } from "./with-journal.ts";

/** Its options, as texts. */
export interface DiffTexts {
  readonly with?: string;
  readonly program?: string;
}

/** One side of a difference, in words. */
interface Side {
  readonly domain: string;
  readonly seq?: number;
  readonly what: string;
  readonly task?: string;
  readonly value?: unknown;
  readonly service?: string;
  readonly request?: unknown;
  readonly position?: readonly string[];
}

/** Show where two domains part. Ends with 1 when they do, as `diff` does. */
export async function diffCommand(
  folder: string,
  a: string,
  b: string,
  options: DiffTexts,
  { terminal }: Context,
): Promise<ExitCode> {
  const program = options.program === undefined ? undefined : (await loadDurable(options.program)).program;
  const other = options.with ?? folder;
  const journals = [journalIn(folder), journalIn(other)] as const;
  try {
    const sides = [await domainOf(journals[0], a, folder), await domainOf(journals[1], b, other)] as const;
    const { same, first, call } = await diffDomains(...sides);
    const shown = async (pair: RecordPair | undefined) =>
      pair && [await sideOf(sides[0], pair.a, program), await sideOf(sides[1], pair.b, program)];
    const [records, calls] = [await shown(first), await shown(call)];
    terminal.record({ ok: true, same, differs: first !== undefined, first: records, call: calls });
    if (records === undefined) terminal.line(`${a} and ${b} are the same: ${same} records.`);
    else {
      terminal.line(`${a} and ${b} share ${same} records. The first that differ:`);
      for (const side of records) print(side, terminal);
      if (calls !== undefined) terminal.line("The first calls that differ:");
      for (const side of calls ?? []) print(side, terminal);
    }
    return records === undefined ? EXIT.ok : EXIT.failure;
  } finally {
    for (const journal of journals) await journal.close();
  }
}

async function domainOf(journal: JournalReader, domain: string, folder: string): Promise<DomainOf> {
  if ((await journal.head(domain)) === undefined) throw new DomainMissingError(domain, folder);
  return { journal, domain };
}

/** A record in words, and with a program the call it is about: what was asked, and where in the source. */
async function sideOf(
  of: DomainOf,
  logged: LoggedRecord | undefined,
  program: DurableProgram | undefined,
): Promise<Side> {
  const { domain } = of;
  if (logged === undefined) return { domain, what: "has no more records" };
  const { seq, row } = logged;
  const { what, task, value } = described(decodeRecord(logged.bytes));
  const side: Side = { domain, seq, what, ...(task && { task }), value: asJson(value) };
  if (program === undefined || task === undefined) return side;
  const options = { programOf: () => program, digests: createSystemDigests() };
  const call = await callBefore(of, seq, row.path, options);
  if (call === undefined) return side;
  return {
    ...side,
    service: call.service,
    request: asJson(call.request),
    position: programFrames(call.position),
  };
}

function print(
  { domain, seq, what, task, value, service, request, position = [] }: Side,
  terminal: Context["terminal"],
): void {
  const where = [seq === undefined ? "" : ` ${seq}`, task === undefined ? "" : ` ${task}:`].join("");
  terminal.line(`  ${domain}${where} ${what}${value === undefined ? "" : `  ${asText(value)}`}`);
  if (service !== undefined) terminal.line(`      asked ${service}  ${asText(request)}`);
  for (const line of position) terminal.line(`      at ${line}`);
}
