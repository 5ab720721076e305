/** `Journal` on files of one folder, served by a worker thread so that no flush stops the caller's loop. */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { MalformedError } from "@glia-os/abi/errors";
import type { Journal } from "@glia-os/abi/ports";
import { checkWhole } from "../../limit-range.ts";
import { slotMemory } from "../../shared-slot.ts";
import { DEFAULT_QUEUE_LIMIT, QUEUE_LIMIT_MOST, WorkerLink } from "../../worker-link.ts";
import { CheckedJournal } from "../checked-journal.ts";
import { JOURNAL_LOAD } from "../journal-load.ts";
import { type JournalLimits, journalLimits } from "../limits.ts";
import type { JournalReply, JournalRequest } from "../request.ts";
import type { FileJournalSettings, FileJournalSetup } from "./file-store.ts";

/** Size of a file when none is given: 16 MiB. */
export const DEFAULT_FILE_BYTES: number = 16 * 2 ** 20;
const FILE_BYTES_LEAST = 64 * 1024;
const FILE_BYTES_MOST = 2 ** 30;

/** What to open. */
export interface FileJournalOptions {
  /** The folder; made when it is missing. It holds nothing else. On a local disk. */
  readonly folder: string;
  /** Limits that differ from the default ones. */
  readonly limits?: Partial<JournalLimits>;
  /** Size of a file, 64 KiB to 1 GiB. Its room is taken when it is begun. */
  readonly fileBytes?: number;
  /** Requests that may wait at once, 1 to 65,536. */
  readonly queueLimit?: number;
  /** Where the worker's code is; only a bundler that moved `@glia-os/store/journal-worker` needs it. */
  readonly workerUrl?: URL;
}

/**
 * Open or begin a journal. One process has a folder at a time. What a crash left of a write that was not acknowledged is cut off.
 * @throws `store.in-use`, `store.not-writable`, `store.cannot-open`, `store.full`, `store.journal-corrupt`, `store.journal-newer`,
 * and `abi.malformed` for a bad option.
 */
export async function openFileJournal(options: FileJournalOptions): Promise<Journal> {
  const settings = settingsOf(options);
  const queueLimit = options.queueLimit ?? DEFAULT_QUEUE_LIMIT;
  checkWhole("queueLimit", queueLimit, 1, QUEUE_LIMIT_MOST);
  const memory = slotMemory();
  const workerData: FileJournalSetup = { settings, memory };
  const worker = new Worker(options.workerUrl ?? ownWorkerUrl(), {
    workerData,
    name: "glia-journal",
  });
  const link = new WorkerLink<JournalRequest, JournalReply>(worker, queueLimit, JOURNAL_LOAD, memory);
  await link.ready();
  return new CheckedJournal(link);
}

function ownWorkerUrl(): URL {
  return new URL(
    import.meta.url.endsWith(".ts") ? "./journal-worker.ts" : "./journal-worker.js",
    import.meta.url,
  );
}

function settingsOf({ folder, fileBytes, limits }: FileJournalOptions): FileJournalSettings {
  if (typeof folder !== "string" || folder === "" || folder.includes("\0"))
    throw new MalformedError("folder", "it does not name a folder");
  const bytes = fileBytes ?? DEFAULT_FILE_BYTES;
  checkWhole("fileBytes", bytes, FILE_BYTES_LEAST, FILE_BYTES_MOST);
  return { folder: resolve(folder), fileBytes: bytes, limits: journalLimits(limits) };
}
