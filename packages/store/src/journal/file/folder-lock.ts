/**
 * One process has a journal's folder at a time, and a folder that held a journal is never taken for an empty one.
 *
 * The lock is SQLite's on a database of its own: the operating system ends it with the process, also with kill -9.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { InUseError } from "../../errors.ts";
import { sqliteFailure } from "../../sqlite-failure.ts";
import { diskFailure } from "./disk-failure.ts";

const LOCK_NAME = "lock.db";
/** How long to wait for a process that is just ending to let go of the folder. */
const BUSY_TIMEOUT_MS = 250;
/** Marks a folder whose first file was flushed: "GLJ1" in ASCII. */
const CREATED = 0x474c4a31;

/** A folder of this process. */
export class FolderLock {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Make the folder if it is missing, and lock it. @throws `store.in-use`, `store.not-writable`, `store.cannot-open`. */
  static take(folder: string): FolderLock {
    let db: DatabaseSync | undefined;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      db = new DatabaseSync(join(folder, LOCK_NAME), { timeout: BUSY_TIMEOUT_MS, allowExtension: false });
      db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;");
      return new FolderLock(db);
    } catch (error) {
      if (db?.isOpen === true) db.close();
      const failure = sqliteFailure(error, folder) ?? diskFailure(error) ?? error;
      throw failure instanceof InUseError ? new InUseError(folder) : failure;
    }
  }

  /** Whether a journal was begun here once. */
  get created(): boolean {
    return this.#db.prepare("PRAGMA application_id").get()?.["application_id"] === CREATED;
  }

  /** Remember that a journal was begun. */
  markCreated(): void {
    if (!this.created) this.#db.exec(`PRAGMA application_id = ${CREATED}`);
  }

  release(): void {
    this.#db.close();
  }
}
