/**
 * The database file: opening, refusing, creating.
 *
 * F1. One connection has the file (locking mode EXCLUSIVE): there is never a second anchor on it. The lock ends with the
 *     process, also with kill -9.
 * F2. WAL and synchronous=FULL: the log is flushed before a commit returns.
 * F3. A file that is not ours, damaged or newer than this code is refused before anything is written to it.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GliaError, MalformedError } from "@glia-os/abi/errors";
import {
  CorruptError,
  ForeignDatabaseError,
  NotWritableError,
  SchemaNewerError,
  WriteFailedError,
} from "./errors.ts";
import { checkWhole } from "./limit-range.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** How long to wait for a process that is just ending to let go of the file. */
const BUSY_TIMEOUT_MS = 250;

/** The largest file when no limit is given: 4 GiB. */
export const DEFAULT_MAX_BYTES: number = 4 * 2 ** 30;
const MAX_BYTES_LEAST = 256 * 1024;
const MAX_BYTES_MOST = 2 ** 40;

/** Where a database is to be, as callers say it. */
export interface DatabasePlace {
  /** The file; made when it is missing, its folder is not. Relative to the working directory. */
  readonly path: string;
  /** The most the file may grow to, 256 KiB to 1 TiB. Default 4 GiB. */
  readonly maxBytes?: number;
}

/** What a file holds, as it says itself. */
export interface DatabaseKind {
  /** Names it to people: "a coordination store". */
  readonly what: string;
  /** Marks the file as ours. */
  readonly applicationId: number;
  /** The version of the tables. */
  readonly version: number;
  /** Makes the tables. */
  readonly schema: string;
  /** What makes the tables of each earlier version into those of the next. */
  readonly upgrades?: Readonly<Record<number, string>>;
}

/** What to open. */
export interface DatabaseOptions {
  /** An absolute path. */
  readonly path: string;
  /** The most the file may grow to. */
  readonly maxBytes: number;
}

/** The place, checked. @throws `abi.malformed`. */
export function databaseOptions({ path, maxBytes }: DatabasePlace): DatabaseOptions {
  if (typeof path !== "string" || path === "" || path.includes("\0") || path === ":memory:")
    throw new MalformedError("path", "it does not name a file; stores in memory have imports of their own");
  const bytes = checkWhole("maxBytes", maxBytes ?? DEFAULT_MAX_BYTES, MAX_BYTES_LEAST, MAX_BYTES_MOST);
  return { path: resolve(path), maxBytes: bytes };
}

/** Open or create the file (F1-F3). @throws the typed refusals of `store.*` that concern files. */
export function openDatabase({ path, maxBytes }: DatabaseOptions, kind: DatabaseKind): DatabaseSync {
  let db: DatabaseSync | undefined;
  checkRights(path);
  try {
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, allowExtension: false });
    prepare(db, path, maxBytes, kind);
    return db;
  } catch (error) {
    if (db?.isOpen === true) db.close();
    if (error instanceof GliaError) throw error;
    throw sqliteFailure(error, path) ?? error;
  }
}

/** SQLite would open a file that it may not write for reading; a store that cannot write is of no use. */
function checkRights(path: string): void {
  if (!existsSync(path)) return;
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
  } catch {
    throw new NotWritableError(path);
  }
}

function prepare(db: DatabaseSync, path: string, maxBytes: number, kind: DatabaseKind): void {
  db.exec("PRAGMA locking_mode = EXCLUSIVE");
  const found = checkIdentity(db, path, kind);
  const isNew = found === 0;
  const mode = pragma(db, "journal_mode = WAL");
  if (mode !== "wal")
    throw new WriteFailedError(`the file system of ${path} does not support write-ahead logging`);
  db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
  const pageBytes = Number(pragma(db, "page_size"));
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
  if (!isNew) {
    const verdict = String(pragma(db, "quick_check(1)"));
    if (verdict !== "ok") throw new CorruptError(path, verdict);
  }
  db.exec("BEGIN IMMEDIATE");
  if (isNew) db.exec(`${kind.schema}; PRAGMA application_id = ${kind.applicationId};`);
  else for (let version = found; version < kind.version; version++) db.exec(kind.upgrades?.[version] ?? "");
  if (found !== kind.version) db.exec(`PRAGMA user_version = ${kind.version};`);
  db.exec("COMMIT");
}

/** The version of the tables in the file, 0 in an empty one; refuses one that is not ours (F3). */
function checkIdentity(db: DatabaseSync, path: string, kind: DatabaseKind): number {
  const applicationId = Number(pragma(db, "application_id"));
  const schemaVersion = Number(pragma(db, "user_version"));
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (applicationId === 0 && schemaVersion === 0 && tables === 0) return 0;
  if (applicationId !== kind.applicationId) throw new ForeignDatabaseError(path, kind.what);
  if (schemaVersion > kind.version) throw new SchemaNewerError(path, schemaVersion, kind.version);
  return schemaVersion;
}

function pragma(db: DatabaseSync, text: string): unknown {
  const row = db.prepare(`PRAGMA ${text}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
