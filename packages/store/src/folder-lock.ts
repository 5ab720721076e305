/**
 * One process has a store's folder at a time, and the folder says what kind of store it holds.
 *
 * The lock is SQLite's on a database of its own: the operating system ends it with the process, also with kill -9.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { diskFailure } from "./disk-failure.ts";
import { CannotOpenError, InUseError } from "./errors.ts";
import { sqliteFailure } from "./sqlite-failure.ts";

const LOCK_NAME = "lock.db";
/** How long to wait for a process that is just ending to let go of the folder. */
const BUSY_TIMEOUT_MS = 250;

/** Kinds of stores: `GLJ1` and `GLB1` in ASCII. */
export const FOLDER_KIND = { journal: 0x474c4a31, blobs: 0x474c4231 } as const;

/** A folder of this process. */
export class FolderLock {
  readonly #db: DatabaseSync;
  readonly #kind: number;

  private constructor(db: DatabaseSync, kind: number) {
    this.#db = db;
    this.#kind = kind;
  }

  /**
   * Make the folder if it is missing, and lock it.
   * @throws `store.in-use`, `store.not-writable`, `store.cannot-open` (also for the folder of another kind of store).
   */
  static take(folder: string, kind: keyof typeof FOLDER_KIND): FolderLock {
    let db: DatabaseSync | undefined;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      db = new DatabaseSync(join(folder, LOCK_NAME), { timeout: BUSY_TIMEOUT_MS, allowExtension: false });
      db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;");
      const lock = new FolderLock(db, FOLDER_KIND[kind]);
      if (lock.#mark !== 0 && !lock.created)
        throw new CannotOpenError(folder, "it is the folder of another kind of store");
      return lock;
    } catch (error) {
      if (db?.isOpen === true) db.close();
      const failure = sqliteFailure(error, folder) ?? diskFailure(error) ?? error;
      throw failure instanceof InUseError ? new InUseError(folder) : failure;
    }
  }

  /** Whether a store of this kind was begun here once. */
  get created(): boolean {
    return this.#mark === this.#kind;
  }

  /** Remember that a store was begun. */
  markCreated(): void {
    if (!this.created) this.#db.exec(`PRAGMA application_id = ${this.#kind}`);
  }

  release(): void {
    this.#db.close();
  }

  get #mark(): unknown {
    return this.#db.prepare("PRAGMA application_id").get()?.["application_id"];
  }
}
