/**
 * `FenceStore` on a SQLite file, in the caller's thread (docs/spec/fences.md): a lease is granted seldom, and its keeper must know at once.
 *
 * SF1. A swap was flushed when it returns: an epoch that somebody was told survives `kill -9` and loss of power.
 * SF2. One process has the file at a time.
 */
import type { DatabaseSync } from "node:sqlite";
import { MalformedError } from "@glia-os/abi/errors";
import type { FenceRow, FenceStore } from "@glia-os/abi/ports";
import { checkWhole } from "../limit-range.ts";
import { sqliteFailure } from "../sqlite-failure.ts";
import { type DatabaseKind, type DatabasePlace, databaseOptions, openDatabase } from "../sqlite-file.ts";

/** Characters of a resource and of a holder. */
export const FENCE_CHARS_MAX = 256;

const FENCES: DatabaseKind = {
  what: "a table of fences",
  applicationId: 0x474c4645,
  version: 1,
  schema:
    "CREATE TABLE fence (resource TEXT PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL, expires REAL NOT NULL) STRICT, WITHOUT ROWID",
};

/** A fence store that holds a file. */
export interface SqliteFences extends FenceStore {
  /** Let go of the file. Idempotent. */
  close(): void;
}

/**
 * Open or create a store of fences.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.not-a-database`, `store.foreign-database`,
 * `store.corrupt`, `store.schema-newer`, and `abi.malformed` for a bad option.
 */
export function openSqliteFences(place: DatabasePlace): SqliteFences {
  const options = databaseOptions(place);
  return new FenceFile(openDatabase(options, FENCES), options.path);
}

class FenceFile implements SqliteFences {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #read: ReturnType<DatabaseSync["prepare"]>;
  readonly #insert: ReturnType<DatabaseSync["prepare"]>;
  readonly #update: ReturnType<DatabaseSync["prepare"]>;

  constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
    this.#read = db.prepare("SELECT epoch, holder, expires FROM fence WHERE resource = ?");
    this.#insert = db.prepare("INSERT INTO fence VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
    this.#update = db.prepare(
      "UPDATE fence SET epoch = ?, holder = ?, expires = ? WHERE resource = ? AND epoch = ?",
    );
  }

  read(resource: string): FenceRow | undefined {
    checkText("resource", resource);
    const row = this.#done(() => this.#read.get(resource));
    if (row === undefined) return undefined;
    return { epoch: Number(row["epoch"]), holder: String(row["holder"]), expiresMs: Number(row["expires"]) };
  }

  swap(resource: string, expected: number, { epoch, holder, expiresMs }: FenceRow): boolean {
    checkText("resource", resource);
    checkText("holder", holder);
    checkWhole("expected", expected, 0, Number.MAX_SAFE_INTEGER - 1);
    checkWhole("epoch", epoch, Math.max(1, expected), expected + 1);
    if (!Number.isFinite(expiresMs) || expiresMs < 0) throw new MalformedError("expiresMs", "it is no time");
    const { changes } = this.#done(() =>
      expected === 0
        ? this.#insert.run(resource, epoch, holder, expiresMs)
        : this.#update.run(epoch, holder, expiresMs, resource, expected),
    );
    return Number(changes) === 1;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #done<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw sqliteFailure(error, this.#path) ?? error;
    }
  }
}

function checkText(what: string, text: string): void {
  if (typeof text !== "string" || text.length < 1 || text.length > FENCE_CHARS_MAX)
    throw new MalformedError(what, `it is no text of 1 to ${FENCE_CHARS_MAX} characters`);
}
