/**
 * Values by key in a SQLite file (docs/spec/key-value.md).
 *
 * T1. Every row carries a checksum over its key, version and value, because SQLite has none: a row that fails it is refused.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { KeyInfo } from "@glia-os/abi/ports";
import { endOfPrefix } from "../../code-points.ts";
import { CorruptError } from "../../errors.ts";
import type { DatabaseKind } from "../../sqlite-file.ts";
import type { VersionedValue } from "../request.ts";
import type { KeyTable } from "../table.ts";

/** A store of keys: `GLKV` in ASCII. */
export const KEY_VALUE_DATABASE: DatabaseKind = {
  what: "a store of keys",
  applicationId: 0x474c4b56,
  version: 1,
  schema: `
CREATE TABLE version (one INTEGER PRIMARY KEY CHECK (one = 1), newest INTEGER NOT NULL) STRICT;
INSERT INTO version VALUES (1, 0);
CREATE TABLE entry (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, sum INTEGER NOT NULL, value BLOB NOT NULL
) STRICT;
`,
};

const INFO = "key, version, length(value) AS bytes";

const SQL = {
  totals: "SELECT count(*) AS keys, coalesce(sum(length(value)), 0) AS bytes FROM entry",
  nextVersion: "UPDATE version SET newest = newest + 1 RETURNING newest",
  info: `SELECT ${INFO} FROM entry WHERE key = ?`,
  value: "SELECT value, version, sum FROM entry WHERE key = ?",
  put: `INSERT INTO entry (key, version, sum, value) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET version = excluded.version, sum = excluded.sum, value = excluded.value`,
  delete: "DELETE FROM entry WHERE key = ?",
  list: `SELECT ${INFO} FROM entry WHERE key > ? AND key >= ? AND key < ? ORDER BY key LIMIT ?`,
  listToLast: `SELECT ${INFO} FROM entry WHERE key > ? AND key >= ? ORDER BY key LIMIT ?`,
} as const;

/** The tables of one open database. */
export class SqliteKeyTable implements KeyTable {
  readonly #path: string;
  readonly #sql: { readonly [Name in keyof typeof SQL]: StatementSync };

  constructor(db: DatabaseSync, path: string) {
    this.#path = path;
    const entries = Object.entries(SQL).map(([name, text]) => [name, db.prepare(text)]);
    this.#sql = Object.fromEntries(entries) as { readonly [Name in keyof typeof SQL]: StatementSync };
  }

  totals(): { readonly keys: number; readonly bytes: number } {
    return this.#sql.totals.get() as { keys: number; bytes: number };
  }

  nextVersion(): number {
    return Number(this.#sql.nextVersion.get()?.["newest"]);
  }

  info(key: string): KeyInfo | undefined {
    return this.#sql.info.get(key) as KeyInfo | undefined;
  }

  value(key: string): VersionedValue | undefined {
    const found = this.#sql.value.get(key);
    if (found === undefined) return undefined;
    const value = found["value"] as Uint8Array;
    const version = Number(found["version"]);
    if (sumOf(key, version, value) === found["sum"]) return { value, version };
    throw new CorruptError(this.#path, `the value of key ${JSON.stringify(key)} fails its checksum`);
  }

  put(key: string, value: Uint8Array, version: number): void {
    this.#sql.put.run(key, version, sumOf(key, version, value), value);
  }

  delete(key: string): void {
    this.#sql.delete.run(key);
  }

  list(prefix: string, after: string, limit: number): readonly KeyInfo[] {
    const end = endOfPrefix(prefix);
    const rows =
      end === undefined
        ? this.#sql.listToLast.all(after, prefix, limit)
        : this.#sql.list.all(after, prefix, end, limit);
    return rows as unknown as readonly KeyInfo[];
  }
}

/** T1. */
function sumOf(key: string, version: number, value: Uint8Array): number {
  return crc32(value, crc32(`${version} ${key} `));
}
