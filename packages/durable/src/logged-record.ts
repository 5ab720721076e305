/**
 * Records as they lie in a journal, and which of them still count: a rollback is a record that discards those before it.
 *
 * L1. A rollback says which record it goes back to. The records after that one, up to the rollback itself, are discarded; they stay in
 *     the journal. A restart does the same, and counts itself.
 * L2. Whoever reads a domain to live it or to judge it skips what was discarded, and nothing else.
 */
import type { Journal } from "@glia-os/abi/ports";
import { decodeRow, KIND } from "./record.ts";
import { beginRecord, MAJOR, SIMPLE, takeRecord, writeHead, writeList, writeRaw } from "./record-arena.ts";
import type { RecordRow } from "./record-reader.ts";
import { factsOf } from "./recovery/restart-facts.ts";

/** The kind of a rollback (docs/spec/journal.md). */
export const ROLLBACK = 12;

/** What history needs of a journal. */
export type ReadableJournal = Pick<Journal, "read" | "head">;

/** A record as it was written. */
export interface LoggedRecord {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly row: RecordRow;
}

/** What was discarded: the records after `after`, up to `at`, which is the rollback, or comes before the restart. */
export interface Discarded {
  readonly after: number;
  readonly at: number;
}

/** The bytes of a rollback to a record. */
export function encodeRollback(seq: number, to: number): Uint8Array {
  beginRecord();
  writeHead(MAJOR.array, 6);
  writeHead(MAJOR.unsigned, ROLLBACK);
  writeHead(MAJOR.unsigned, seq);
  writeList([]);
  writeHead(MAJOR.unsigned, 0);
  writeRaw(Uint8Array.of(SIMPLE.null));
  writeHead(MAJOR.unsigned, to);
  return takeRecord();
}

/** The records of a body one after the other. @throws what the decoder throws */
export function* recordsIn(body: Uint8Array): Generator<LoggedRecord, void> {
  for (let at = 0; at < body.length; ) {
    const row = decodeRow(body, at);
    yield { seq: row.seq, bytes: body.subarray(at, row.end), row };
    at = row.end;
  }
}

/** Every record that is still there, in order, with those that were discarded. */
export async function* loggedRecords(
  journal: ReadableJournal,
  domain: string,
): AsyncGenerator<LoggedRecord, void> {
  const head = await journal.head(domain);
  if (head === undefined) return;
  for await (const { body } of journal.read(domain, head.firstSeq)) yield* recordsIn(body);
}

/** What the rollbacks of a domain discarded, in their order. O(records). */
export async function discardedOf(journal: ReadableJournal, domain: string): Promise<readonly Discarded[]> {
  const found: Discarded[] = [];
  for await (const { seq, row } of loggedRecords(journal, domain)) {
    const discarded = discardedBy(seq, row);
    if (discarded === undefined) continue;
    // What lies within it is discarded by it.
    while ((found.at(-1)?.after ?? -1) >= discarded.after) found.pop();
    found.push(discarded);
  }
  return found;
}

function discardedBy(seq: number, { kind, outcome }: RecordRow): Discarded | undefined {
  if (kind === ROLLBACK) return { after: outcome as number, at: seq };
  if (kind !== KIND.restart) return undefined;
  const { to: after } = factsOf((outcome as readonly unknown[])[0]);
  return after < seq - 1 ? { after, at: seq - 1 } : undefined;
}

/** Whether a record was discarded (L1). */
export function isDiscarded(discarded: readonly Discarded[], seq: number): boolean {
  return discarded.some(({ after, at }) => seq > after && seq <= at);
}

/** The records that count, in order (L2). */
export async function* liveRecords(
  journal: ReadableJournal,
  domain: string,
): AsyncGenerator<LoggedRecord, void> {
  const discarded = await discardedOf(journal, domain);
  for await (const logged of loggedRecords(journal, domain))
    if (!isDiscarded(discarded, logged.seq)) yield logged;
}

/** A record under another number. */
export function renumbered({ bytes, row: { kind } }: LoggedRecord, seq: number): Uint8Array {
  // The array and the kind take a byte each; then comes the number, in its shortest form.
  const info = (bytes[2] as number) & 0x1f;
  const rest = 3 + (info < 24 ? 0 : 1 << (info - 24));
  beginRecord();
  writeHead(MAJOR.array, 6);
  writeHead(MAJOR.unsigned, kind);
  writeHead(MAJOR.unsigned, seq);
  writeRaw(bytes.subarray(rest));
  return takeRecord();
}

/** Whether a record is one of a call: that it is about to start, or what it came to. */
export function isCall({ row: { kind } }: LoggedRecord): boolean {
  return kind === KIND.intent || kind === KIND.resume;
}
