/**
 * Another course of a domain: a new domain that shares what came in up to a record, and goes on by itself.
 *
 * F1. The new domain is there whole or not at all: its records are one batch. The old one is only read.
 * F2. Nothing is performed again to get there. What the new domain asks for afterwards has keys of its own.
 * F3. A call of the old domain that was under way at the record is under way in the new one, whose recovery does not start it again
 *     when it may happen once only.
 */
import type { Journal } from "@glia-os/abi/ports";
import { DomainExistsError, DomainUnknownError } from "./errors.ts";
import { BadChangeError, NoRecordError, TooLongError } from "./history-errors.ts";
import { joined } from "./joined.ts";
import { type LoggedRecord, liveRecords, renumbered } from "./logged-record.ts";
import { type DurableRecord, decodeRecord, encodeRecord, KIND } from "./record.ts";

/** What a fork changes at its record: the outcome of a call, a message, or the input. */
export interface ForkChange {
  readonly what: "result" | "message" | "input";
  readonly value: unknown;
}

/** How a domain is forked. */
export interface ForkOptions {
  readonly domain: string;
  /** The last shared record. */
  readonly at: number;
  /** The name of the new domain: one that is not taken. */
  readonly as: string;
  readonly change?: ForkChange;
}

/** What a batch holds (docs/spec/journal.md). */
const MOST_RECORDS = 65_535;
const MOST_BYTES = 16_777_216;
/** The first two records begin a domain: what it is, and when. */
const BEGINNING = 2;

/**
 * Fork a domain; resolves with the number of shared records when the new one is durable. O(records up to `at`).
 * @throws {DomainUnknownError} {DomainExistsError} {NoRecordError} {BadChangeError} {TooLongError} {NotRecordableError}
 */
export async function forkDomain(journal: Journal, { domain, at, as, change }: ForkOptions): Promise<number> {
  if ((await journal.head(domain)) === undefined) throw new DomainUnknownError(domain);
  if ((await journal.head(as)) !== undefined) throw new DomainExistsError(as);
  const shared: Uint8Array[] = [];
  let bytes = 0;
  let found = false;
  for await (const logged of liveRecords(journal, domain)) {
    if (logged.seq > at && shared.length >= BEGINNING) break;
    found ||= logged.seq === at;
    // Which records a restart left out was counted already, and the numbers are others here.
    if (logged.row.kind === KIND.restart && shared.length > 0) continue;
    const seq = shared.length + 1;
    // What a checkpoint removed cannot be shared.
    if (seq === 1 && logged.row.kind !== KIND.spawn) throw new NoRecordError(domain, 1);
    const changed = logged.seq === at && change !== undefined;
    const record = changed ? changedRecord(domain, logged, seq, change) : renumbered(logged, seq);
    bytes += record.length;
    if (shared.length === MOST_RECORDS)
      throw new TooLongError(domain, at, `more than ${MOST_RECORDS} records come before it`);
    if (bytes > MOST_BYTES)
      throw new TooLongError(domain, at, `more than ${MOST_BYTES} bytes come before it`);
    shared.push(record);
  }
  if (!found) throw new NoRecordError(domain, at);
  await journal.append({ domain: as, epoch: 1, firstSeq: 1, count: shared.length, body: joined(shared) });
  return shared.length;
}

function changedRecord(
  domain: string,
  logged: LoggedRecord,
  seq: number,
  { what, value }: ForkChange,
): Uint8Array {
  const record = changedTo(decodeRecord(logged.bytes).record, what, value);
  if (record === undefined) throw new BadChangeError(domain, logged.seq, what);
  return encodeRecord(seq, record);
}

function changedTo(
  record: DurableRecord,
  what: ForkChange["what"],
  value: unknown,
): DurableRecord | undefined {
  if (what === "result" && record.kind === KIND.resume)
    return { ...record, outcome: { failed: false, value } };
  if (what === "message" && record.kind === KIND.message) return { ...record, payload: value };
  if (what === "input" && record.kind === KIND.spawn)
    return { ...record, beginning: { ...record.beginning, input: value } };
  return undefined;
}
