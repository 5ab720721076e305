/**
 * A journal on files as its worker runs it: requests are performed, then one flush makes them durable together.
 *
 * S1. No answer of a group leaves before the flush that covers it returned.
 * S2. When the flush fails, every request of the group is refused, and so is every later one.
 */
import { randomBytes } from "node:crypto";
import { isGliaError, toErrorRecord } from "@glia-os/abi/errors";
import { diskFailure } from "../../disk-failure.ts";
import { FolderLock } from "../../folder-lock.ts";
import type { Answer, ServedStore } from "../../serve.ts";
import { JournalCorruptError } from "../errors.ts";
import type { JournalLimits } from "../limits.ts";
import type { JournalReply, JournalRequest } from "../request.ts";
import { JournalRules } from "../rules.ts";
import { FileLog, type FileLogOptions } from "./file-log.ts";
import type { JournalFiles } from "./files.ts";
import { fileName, fileNumbers, SALT_BYTES } from "./log-file.ts";
import { NodeFiles } from "./node-files.ts";
import { type CutTail, recover } from "./recovery.ts";

/** What a worker is started with. */
export interface FileJournalSettings {
  /** An absolute path. */
  readonly folder: string;
  readonly fileBytes: number;
  readonly limits: JournalLimits;
}

/** What its worker gets: the settings, and memory that it shares with its parent. */
export interface FileJournalSetup {
  readonly settings: FileJournalSettings;
  readonly memory: SharedArrayBuffer;
}

/** A journal on some files. */
export class FileJournalStore implements ServedStore<JournalRequest, JournalReply> {
  /** An append costs a microsecond and a flush a hundred: many domains share one. */
  readonly groupLimit = 4_096;
  readonly #log: FileLog;
  readonly #rules: JournalRules;

  /** Recover what the files hold and write on. @throws the refusals of {@link recover}, `store.cannot-open`. */
  constructor(files: JournalFiles, options: FileLogOptions, limits: JournalLimits) {
    this.#log = opened(() => new FileLog(files, recover(files), options));
    this.#rules = new JournalRules(this.#log, limits, this.#log.table);
  }

  /** What recovery cut off, if it did. */
  get cut(): CutTail | undefined {
    return this.#log.cut;
  }

  perform(requests: readonly JournalRequest[]): readonly Answer<JournalReply>[] {
    const answers = requests.map((request) => this.#answer(request));
    try {
      this.#log.commit();
    } catch (error) {
      if (!isGliaError(error)) throw error;
      return requests.map(() => ({ refused: error.toRecord() }));
    }
    this.#compact();
    return answers;
  }

  idle(): void {
    this.#log.prepare();
  }

  close(): void {
    this.#log.close();
  }

  /** The requests just performed are durable. A failed read leaves the compaction to the next time, a failed write is final (W2). */
  #compact(): void {
    try {
      this.#log.compact();
    } catch (error) {
      if (!isGliaError(error) && diskFailure(error) === undefined) throw error;
    }
  }

  #answer(request: JournalRequest): Answer<JournalReply> {
    try {
      return { reply: this.#rules.perform(request) };
    } catch (error) {
      return { refused: toErrorRecord(diskFailure(error) ?? error) };
    }
  }
}

/** A journal in a folder of this machine, which no other process has meanwhile. */
export class FolderJournalStore extends FileJournalStore {
  readonly #lock: FolderLock;

  private constructor(lock: FolderLock, { folder, fileBytes, limits }: FileJournalSettings) {
    super(new NodeFiles(folder), { fileBytes, salt: randomSalt }, limits);
    this.#lock = lock;
  }

  /** Lock the folder and open the journal in it, or begin one. @throws the refusals of `openFileJournal`. */
  static open(settings: FileJournalSettings): FolderJournalStore {
    const lock = FolderLock.take(settings.folder, "journal");
    try {
      if (lock.created && fileNumbers(new NodeFiles(settings.folder).list()).length === 0)
        throw new JournalCorruptError(fileName(1), 0, "it is missing, and so is every file after it");
      const store = new FolderJournalStore(lock, settings);
      lock.markCreated();
      return store;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  override close(): void {
    super.close();
    this.#lock.release();
  }
}

/** A place of the disk that cannot be read refuses the journal by name. */
function opened(open: () => FileLog): FileLog {
  try {
    return open();
  } catch (error) {
    throw diskFailure(error) ?? error;
  }
}

function randomSalt(): Uint8Array {
  return randomBytes(SALT_BYTES);
}
