/** Writes back what the rules made of a slice, in the same transaction. */
import { batchSum } from "../../journal/batch-sum.ts";
import type { DomainLog } from "../../journal/domain-log.ts";
import type { DomainTable } from "../../journal/domain-table.ts";
import type { Entry } from "../../journal/entry.ts";
import type { Ask } from "../connection.ts";
import type { SliceLog } from "./journal-slice.ts";
import { batchValues, type JournalSql } from "./journal-sql.ts";

/** What was made. */
export interface MadeSlice {
  readonly table: DomainTable;
  readonly log: SliceLog;
  /** Numbers of the domains that were read. */
  readonly before: ReadonlySet<number>;
}

/** Removals come first: a domain may be removed and begun again under its name in one group. */
export async function storeSlice(
  ask: Ask,
  sql: JournalSql,
  { table, log, before }: MadeSlice,
): Promise<void> {
  const removed = [...before].filter((number) => !table.byNumber.has(number));
  if (removed.length > 0)
    for (const text of [sql.removeDomains, sql.removeSegments, sql.removeBatches]) await ask(text, [removed]);
  const entries = log.entries.filter(({ domain }) => table.byNumber.has(domain));
  await putSegments(ask, sql, entries);
  for (const entry of entries)
    if (entry.kind === "truncate") await ask(sql.dropSegments, [entry.domain, entry.firstSeq]);
  await putBatches(ask, sql, log, entries);
  if (log.released.size > 0) await ask(sql.release, [[...log.released]]);
  const touched = new Set(entries.map(({ domain }) => domain));
  const rows = [...touched].flatMap((number) => table.byNumber.get(number) ?? []).map(rowOf);
  if (rows.length > 0) await ask(sql.putDomains, [JSON.stringify(rows)]);
  const domains = table.byName.size + table.others;
  await ask(sql.count, [domains, table.bytes, table.nextNumber, log.nextPlace]);
}

async function putSegments(ask: Ask, sql: JournalSql, entries: readonly Entry[]): Promise<void> {
  const rows = entries.flatMap((entry) => {
    if (entry.kind !== "seal") return [];
    const { firstSeq, lastSeq, epoch, bytes, hash } = entry.segment;
    return [{ domain: entry.domain, first_seq: firstSeq, last_seq: lastSeq, epoch, bytes, hash }];
  });
  if (rows.length > 0) await ask(sql.putSegments, [JSON.stringify(rows)]);
}

async function putBatches(
  ask: Ask,
  sql: JournalSql,
  log: SliceLog,
  entries: readonly Entry[],
): Promise<void> {
  const values: unknown[] = [];
  let rows = 0;
  for (const entry of entries) {
    const place = log.places.get(entry);
    if (entry.kind !== "batch" || place === undefined || log.released.has(place)) continue;
    const { domain, epoch, firstSeq, count, body } = entry;
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    values.push(place, domain, epoch, firstSeq, count, batchSum(domain, entry, body), bytes);
    rows += 1;
  }
  if (rows > 0) await ask(sql.putBatches + batchValues(rows), values);
}

function rowOf(log: DomainLog): Readonly<Record<string, unknown>> {
  const { number, name, epoch, firstSeq, nextSeq, bytes, anchorHash } = log;
  return { number, name, epoch, first_seq: firstSeq, next_seq: nextSeq, bytes, anchor_hash: anchorHash };
}
