/** The tables of a journal on PostgreSQL, and what is asked of them (docs/spec/journal-postgres.md). */
import type { TablesKind } from "../schema.ts";

/** A journal, version 1. Bodies are stored as they are: they are rarely worth compressing, and never worth it before an answer. */
export const JOURNAL_TABLES: TablesKind = {
  kind: "journal",
  version: 1,
  tables: (schema) => [
    `CREATE TABLE ${schema}.journal (
      one boolean PRIMARY KEY CHECK (one), domains bigint NOT NULL, bytes bigint NOT NULL, next_number bigint NOT NULL,
      next_place bigint NOT NULL)`,
    `INSERT INTO ${schema}.journal VALUES (true, 0, 0, 1, 1)`,
    `CREATE TABLE ${schema}.domain (
      number bigint PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE, epoch bigint NOT NULL, first_seq bigint NOT NULL,
      next_seq bigint NOT NULL, bytes bigint NOT NULL, anchor_hash text NOT NULL)`,
    `CREATE TABLE ${schema}.batch (
      place bigint PRIMARY KEY, domain bigint NOT NULL, epoch bigint NOT NULL, first_seq bigint NOT NULL, count bigint NOT NULL,
      sum bigint NOT NULL, body bytea NOT NULL, UNIQUE (domain, first_seq))`,
    `ALTER TABLE ${schema}.batch ALTER COLUMN body SET STORAGE EXTERNAL`,
    `CREATE TABLE ${schema}.segment (
      domain bigint NOT NULL, first_seq bigint NOT NULL, last_seq bigint NOT NULL, epoch bigint NOT NULL, bytes bigint NOT NULL,
      hash text NOT NULL, PRIMARY KEY (domain, first_seq))`,
  ],
};

type Name =
  | "lock"
  | "totals"
  | "domains"
  | "page"
  | "segments"
  | "lastSegments"
  | "numbers"
  | "bodies"
  | "from"
  | "removeDomains"
  | "removeSegments"
  | "removeBatches"
  | "dropSegments"
  | "release"
  | "putDomains"
  | "putSegments"
  | "putBatches"
  | "count";

/** All statements of one schema. */
export type JournalSql = { readonly [Statement in Name]: string };

const NUMBERS = "place, domain, epoch, first_seq, count, length(body) AS length";

/** The statements. Domains and segments are written as one JSON array, batches by {@link batchValues}. */
export function journalSql(schema: string): JournalSql {
  const from = (table: string): string =>
    `SELECT * FROM json_populate_recordset(null::${schema}.${table}, $1::json)`;
  const batch = `${schema}.batch`;
  return {
    lock: `SELECT domains, bytes, next_number, next_place FROM ${schema}.journal FOR UPDATE`,
    totals: `SELECT domains, bytes, next_number, next_place FROM ${schema}.journal`,
    domains: `SELECT * FROM ${schema}.domain WHERE name = ANY($1)`,
    page: `SELECT * FROM ${schema}.domain WHERE name > $1 ORDER BY name LIMIT $2`,
    segments: `SELECT * FROM ${schema}.segment WHERE domain = ANY($1) ORDER BY domain, first_seq`,
    lastSegments: `SELECT DISTINCT ON (domain) * FROM ${schema}.segment WHERE domain = ANY($1) ORDER BY domain, first_seq DESC`,
    numbers: `SELECT ${NUMBERS} FROM unnest($1::bigint[], $2::bigint[]) AS wanted (of, from_seq)
      JOIN ${batch} ON domain = of AND first_seq >= from_seq ORDER BY domain, first_seq`,
    bodies: `SELECT place, domain, epoch, first_seq, count, sum, body FROM ${batch} WHERE place = ANY($1)`,
    from: `SELECT ${NUMBERS} FROM ${batch} WHERE domain = $1 AND first_seq >=
      coalesce((SELECT max(first_seq) FROM ${batch} WHERE domain = $1 AND first_seq <= $2), 0) ORDER BY first_seq LIMIT $3`,
    removeDomains: `DELETE FROM ${schema}.domain WHERE number = ANY($1)`,
    removeSegments: `DELETE FROM ${schema}.segment WHERE domain = ANY($1)`,
    removeBatches: `DELETE FROM ${batch} WHERE domain = ANY($1)`,
    dropSegments: `DELETE FROM ${schema}.segment WHERE domain = $1 AND last_seq < $2`,
    release: `DELETE FROM ${batch} WHERE place = ANY($1)`,
    putDomains: `INSERT INTO ${schema}.domain ${from("domain")} ON CONFLICT (number) DO UPDATE SET epoch = excluded.epoch,
      first_seq = excluded.first_seq, next_seq = excluded.next_seq, bytes = excluded.bytes, anchor_hash = excluded.anchor_hash`,
    putSegments: `INSERT INTO ${schema}.segment ${from("segment")}`,
    putBatches: `INSERT INTO ${batch} (place, domain, epoch, first_seq, count, sum, body) VALUES `,
    count: `UPDATE ${schema}.journal SET domains = $1, bytes = $2, next_number = $3, next_place = $4`,
  };
}

/** Columns of a batch. */
const BATCH_COLUMNS = 7;

/** `($1, ..., $7), ($8, ...` for so many rows. */
export function batchValues(rows: number): string {
  const row = (at: number): string =>
    `(${Array.from({ length: BATCH_COLUMNS }, (_, i) => `$${at * BATCH_COLUMNS + i + 1}`).join(", ")})`;
  return Array.from({ length: rows }, (_, at) => row(at)).join(", ");
}
