/**
 * The database file: opening, refusing, creating.
 *
 * F1. One connection has the file (locking mode EXCLUSIVE): there is never a second anchor on it. The lock ends with the
 *     process, also with kill -9.
 * F2. WAL and synchronous=FULL: the log is flushed before a commit returns.
 * F3. A file that is not ours, damaged or newer than this code is refused before anything is written to it.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { GliaError } from "@glia-os/abi/errors";
import {
  CorruptError,
  ForeignDatabaseError,
  NotWritableError,
  SchemaNewerError,
  WriteFailedError,
} from "./errors.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

/** Marks the file as ours: "GLIA" in ASCII. */
export const APPLICATION_ID = 0x474c4941;
/** The version of the tables below. */
export const SCHEMA_VERSION = 1;
/** How long to wait for a process that is just ending to let go of the file. */
const BUSY_TIMEOUT_MS = 250;

const SCHEMA = `
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO counter VALUES ('fence', 0);
CREATE TABLE session (
  session_id TEXT PRIMARY KEY, node TEXT NOT NULL UNIQUE, fence INTEGER NOT NULL,
  ttl_ms INTEGER NOT NULL, expires_wall_ms REAL NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE agent (
  agent TEXT PRIMARY KEY, epoch INTEGER NOT NULL CHECK (epoch > 0), owner TEXT NOT NULL, session_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('running', 'suspended', 'terminated')),
  name TEXT NOT NULL, program_hash TEXT NOT NULL, revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agent_name ON agent (name) WHERE status <> 'terminated';
CREATE TABLE change (revision INTEGER PRIMARY KEY, row TEXT NOT NULL) STRICT;
CREATE TABLE request (
  seq INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, fingerprint TEXT NOT NULL, outcome TEXT NOT NULL
) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** What to open. */
export interface DatabaseOptions {
  /** An absolute path. */
  readonly path: string;
  /** The most the file may grow to. */
  readonly maxBytes: number;
}

/** Open or create the file (F1-F3). @throws the typed refusals of `store.*` that concern files. */
export function openDatabase({ path, maxBytes }: DatabaseOptions): DatabaseSync {
  let db: DatabaseSync | undefined;
  checkRights(path);
  try {
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, allowExtension: false });
    prepare(db, path, maxBytes);
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

function prepare(db: DatabaseSync, path: string, maxBytes: number): void {
  db.exec("PRAGMA locking_mode = EXCLUSIVE");
  const isNew = checkIdentity(db, path);
  const mode = pragma(db, "journal_mode = WAL");
  if (mode !== "wal")
    throw new WriteFailedError(`the file system of ${path} does not support write-ahead logging`);
  db.exec("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON");
  const pageBytes = Number(pragma(db, "page_size"));
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`);
  db.exec("BEGIN IMMEDIATE");
  if (isNew) db.exec(SCHEMA);
  db.exec("COMMIT");
  if (isNew) return;
  const verdict = String(pragma(db, "quick_check(1)"));
  if (verdict !== "ok") throw new CorruptError(path, verdict);
}

/** Whether the file is empty; refuses one that is not ours (F3). */
function checkIdentity(db: DatabaseSync, path: string): boolean {
  const applicationId = Number(pragma(db, "application_id"));
  const schemaVersion = Number(pragma(db, "user_version"));
  const tables = Number(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (applicationId === 0 && schemaVersion === 0 && tables === 0) return true;
  if (applicationId !== APPLICATION_ID) throw new ForeignDatabaseError(path);
  if (schemaVersion > SCHEMA_VERSION) throw new SchemaNewerError(path, schemaVersion, SCHEMA_VERSION);
  return false;
}

function pragma(db: DatabaseSync, text: string): unknown {
  const row = db.prepare(`PRAGMA ${text}`).get();
  return row === undefined ? undefined : Object.values(row)[0];
}
