/** Where a domain stands, as its journal says. */

import { syscallByNumber } from "@glia-os/abi/syscalls";
import {
  decodeRecord,
  discardedOf,
  isDiscarded,
  KIND,
  type LargeValues,
  type LoggedRecord,
  type NumberedRecord,
  ROLLBACK,
  recordsIn,
} from "@glia-os/durable";
import type { JournalReader } from "@glia-os/store/journal-reader";
import { JournalUnreadableError } from "../errors.ts";

/** What a list shows of a domain. */
export interface DomainSummary {
  readonly domain: string;
  readonly program: string;
  /** `ended` and `failed` are final. */
  readonly state: "running" | "ended" | "failed";
  /** Calls of services that have an intent and no outcome. */
  readonly waiting: readonly string[];
  readonly records: number;
  readonly bytes: number;
  /** The time of its clock, in milliseconds since the Unix epoch. */
  readonly lastMs: number;
}

/** A record that says that those after another one no longer count. */
export interface RollbackRecord {
  readonly seq: number;
  readonly bytes: number;
  /** The record that the domain went back to. */
  readonly rollback: number;
}

/** The records of a domain from a number on, in order, with large values where they are given. @throws {JournalUnreadableError} for bytes that are no records */
export async function* recordsOf(
  journal: Pick<JournalReader, "read" | "head">,
  domain: string,
  from = 1,
  values?: LargeValues,
): AsyncGenerator<NumberedRecord | RollbackRecord, void, undefined> {
  for await (const { body, firstSeq } of journal.read(domain, from)) {
    await values?.load(body);
    for (let rest = body; rest.length > 0; ) {
      const numbered = decoded(rest, domain, firstSeq, values);
      rest = rest.subarray(numbered.bytes);
      if (numbered.seq >= from) yield numbered;
    }
  }
}

function decoded(
  bytes: Uint8Array,
  domain: string,
  firstSeq: number,
  values?: LargeValues,
): NumberedRecord | RollbackRecord {
  try {
    // A record is an array of six; its second byte is its kind.
    if (bytes[1] !== ROLLBACK) return decodeRecord(bytes, 0, values);
    const { seq, row } = recordsIn(bytes).next().value as LoggedRecord;
    return { seq, bytes: row.end, rollback: row.outcome as number };
  } catch (error) {
    throw new JournalUnreadableError(domain, firstSeq, error);
  }
}

/** Read a domain through. O(records). */
export async function summaryOf(
  journal: Pick<JournalReader, "read" | "head">,
  domain: string,
  bytes: number,
): Promise<DomainSummary> {
  const waiting = new Map<string, string>();
  let [program, state, records, lastMs]: [string, DomainSummary["state"], number, number] = [
    "",
    "running",
    0,
    0,
  ];
  const discarded = await discardedOf(journal, domain);
  for await (const each of recordsOf(journal, domain)) {
    records += 1;
    if ("rollback" in each || isDiscarded(discarded, each.seq)) continue;
    const { record } = each;
    if (record.kind === KIND.spawn) program = record.beginning.program;
    else if (record.kind === KIND.checkpoint || record.kind === KIND.upgraded)
      program = record.renewal.beginning.program;
    else if (record.kind === KIND.restart) {
      program = record.facts.renewal?.beginning.program ?? program;
      lastMs = Math.max(lastMs, record.facts.nowMs);
    } else if (record.kind === KIND.time) lastMs = record.nowMs;
    else if (record.kind === KIND.intent) waiting.set(record.path.join("/"), callName(record.op));
    else if (record.kind === KIND.resume) waiting.delete(record.path.join("/"));
    else if (record.kind === KIND.exit) state = record.outcome.failed ? "failed" : "ended";
  }
  const calls = state === "running" ? [...waiting.values()] : [];
  return { domain, program, state, waiting: calls, records, bytes, lastMs };
}

/** The name of a syscall. */
export function callName(op: number): string {
  return syscallByNumber(op)?.name ?? `syscall ${op}`;
}
