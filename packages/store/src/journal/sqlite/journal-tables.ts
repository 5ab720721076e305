/**
 * The entry log of a journal in a SQLite file (docs/spec/journal-sqlite.md).
 *
 * T1. An entry changes rows; the rows of a domain are its state. Opening reads them, never a body.
 * T2. Every batch carries a checksum over its numbers and its body, because SQLite has none: one that fails it is refused.
 * T3. The records of every domain are there without gaps between the oldest kept and the newest, or the file is refused.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { SegmentInfo } from "@glia-os/abi/ports";
import { CorruptError } from "../../errors.ts";
import type { DatabaseKind } from "../../sqlite-file.ts";
import { batchSum } from "../batch-sum.ts";
import { DomainLog, NO_HASH, type PlacedBatch } from "../domain-log.ts";
import { DomainTable } from "../domain-table.ts";
import type { Entry, EntryLog } from "../entry.ts";

/** A journal: `GLJQ` in ASCII. */
export const JOURNAL_DATABASE: DatabaseKind = {
  what: "a journal",
  applicationId: 0x474c4a51,
  version: 1,
  schema: `
CREATE TABLE domain (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  next_seq INTEGER NOT NULL, anchor_hash TEXT NOT NULL
) STRICT;
CREATE TABLE batch (
  place INTEGER PRIMARY KEY, domain INTEGER NOT NULL, epoch INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL, sum INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE segment (
  domain INTEGER NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, epoch INTEGER NOT NULL,
  bytes INTEGER NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (domain, first_seq)
) STRICT, WITHOUT ROWID;
`,
};

const SQL = {
  domains: "SELECT number, name, epoch, first_seq, next_seq, anchor_hash FROM domain ORDER BY number",
  batches: "SELECT place, domain, epoch, first_seq, count, length(body) AS length FROM batch",
  segments: "SELECT domain, first_seq, last_seq, epoch, bytes, hash FROM segment ORDER BY domain, first_seq",
  register: "INSERT INTO domain VALUES (?, ?, 0, 1, 1, ?)",
  start: "UPDATE domain SET first_seq = ?, next_seq = ?, anchor_hash = ? WHERE number = ?",
  put: "INSERT INTO batch (domain, epoch, first_seq, count, sum, body) VALUES (?, ?, ?, ?, ?, ?)",
  advance: "UPDATE domain SET epoch = ?, next_seq = ? WHERE number = ?",
  seal: "INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?)",
  anchor: `UPDATE domain SET first_seq = ?1, anchor_hash = (SELECT hash FROM segment WHERE domain = ?2 AND last_seq = ?1 - 1)
    WHERE number = ?2`,
  dropSegments: "DELETE FROM segment WHERE domain = ? AND last_seq < ?",
  remove: "DELETE FROM domain WHERE number = ?",
  load: "SELECT domain, epoch, first_seq, count, sum, body FROM batch WHERE place = ?",
  release: "DELETE FROM batch WHERE place = ?",
} as const;

type Row = Readonly<Record<string, unknown>>;

/** Writes entries as rows. Transactions are the caller's. */
export class SqliteLog implements EntryLog {
  readonly #path: string;
  readonly #sql: { readonly [Name in keyof typeof SQL]: StatementSync };

  constructor(db: DatabaseSync, path: string) {
    this.#path = path;
    const entries = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)]);
    this.#sql = Object.fromEntries(entries) as { readonly [Name in keyof typeof SQL]: StatementSync };
  }

  /** SQLite says by itself when it has no room; the transaction is rolled back then. */
  reserve(): void {}

  put(entry: Entry): number {
    const sql = this.#sql;
    switch (entry.kind) {
      case "domain":
        sql.register.run(entry.domain, entry.name, NO_HASH);
        return 0;
      case "start":
        sql.start.run(entry.firstSeq, entry.firstSeq, entry.hash, entry.domain);
        return 0;
      case "batch":
        return this.#putBatch(entry);
      case "seal":
        this.#putSegment(entry.domain, entry.segment);
        return 0;
      case "truncate":
        sql.anchor.run(entry.firstSeq, entry.domain);
        sql.dropSegments.run(entry.domain, entry.firstSeq);
        return 0;
      case "remove":
        sql.remove.run(entry.domain);
        sql.dropSegments.run(entry.domain, Number.MAX_SAFE_INTEGER);
        return 0;
    }
  }

  /** @throws `store.corrupt` for a batch that is not what was put (T2). */
  load(place: number, length: number): Uint8Array {
    const row = this.#sql.load.get(place);
    const body = row?.["body"] as Uint8Array | undefined;
    if (row !== undefined && body?.length === length) {
      const numbers = { ...placedOf(row), length };
      if (row["sum"] === batchSum(Number(row["domain"]), numbers, body)) return body;
    }
    throw this.#corrupt(`the batch in row ${place} fails its checksum`);
  }

  release(place: number): void {
    this.#sql.release.run(place);
  }

  /** The state of every domain (T1). @throws `store.corrupt` (T3). */
  table(): DomainTable {
    const batches = Map.groupBy(this.#sql.batches.all() as Row[], (row) => row["domain"]);
    const segments = Map.groupBy(this.#sql.segments.all() as Row[], (row) => row["domain"]);
    const table = new DomainTable();
    for (const row of this.#sql.domains.all() as Row[]) {
      const number = row["number"];
      const log = this.#domain(row, batches.get(number) ?? [], segments.get(number) ?? []);
      table.byName.set(log.name, log);
      table.byNumber.set(log.number, log);
      table.nextNumber = log.number + 1;
      table.bytes += log.bytes;
    }
    return table;
  }

  #putBatch(entry: Entry & { kind: "batch" }): number {
    const { domain, epoch, firstSeq, count, body } = entry;
    const sum = batchSum(domain, entry, body);
    const { lastInsertRowid } = this.#sql.put.run(domain, epoch, firstSeq, count, sum, body);
    this.#sql.advance.run(epoch, firstSeq + count, domain);
    return Number(lastInsertRowid);
  }

  #putSegment(domain: number, { firstSeq, lastSeq, epoch, bytes, hash }: SegmentInfo): void {
    this.#sql.seal.run(domain, firstSeq, lastSeq, epoch, bytes, hash);
  }

  #domain(row: Row, batches: readonly Row[], segments: readonly Row[]): DomainLog {
    const log = new DomainLog(String(row["name"]), Number(row["number"]));
    log.firstSeq = Number(row["first_seq"]);
    log.nextSeq = log.firstSeq;
    log.anchorHash = String(row["anchor_hash"]);
    const sealed = segments.map((segment) => segmentOf(log.name, segment));
    const placed = batches.map(placedOf).sort((a, b) => a.firstSeq - b.firstSeq);
    for (const batch of placed) {
      this.#refuseGap(log, log.nextSeq, batch.firstSeq);
      log.add(batch);
      while (sealed[0] !== undefined && sealed[0].lastSeq < log.nextSeq) this.#seal(log, sealed.shift());
    }
    log.epoch = Number(row["epoch"]);
    this.#refuseGap(log, log.nextSeq, Number(row["next_seq"]));
    if (sealed[0] !== undefined) throw this.#corrupt(`segments of ${log.name} have no records`);
    return log;
  }

  #seal(log: DomainLog, segment: SegmentInfo | undefined): void {
    if (segment === undefined) return;
    this.#refuseGap(log, log.openSeq, segment.firstSeq);
    this.#refuseGap(log, log.nextSeq, segment.lastSeq + 1);
    log.seal(segment);
  }

  #refuseGap(log: DomainLog, expected: number, found: number): void {
    if (expected === found) return;
    throw this.#corrupt(`record ${Math.min(expected, found)} of ${log.name} is missing or there twice`);
  }

  #corrupt(why: string): CorruptError {
    return new CorruptError(this.#path, why);
  }
}

function placedOf(row: Row): PlacedBatch {
  const number = (name: string): number => Number(row[name]);
  return {
    epoch: number("epoch"),
    firstSeq: number("first_seq"),
    count: number("count"),
    length: number("length"),
    place: number("place"),
  };
}

function segmentOf(domain: string, row: Row): SegmentInfo {
  return {
    domain,
    epoch: Number(row["epoch"]),
    firstSeq: Number(row["first_seq"]),
    lastSeq: Number(row["last_seq"]),
    bytes: Number(row["bytes"]),
    hash: String(row["hash"]),
  };
}
