/**
 * Looks at a journal in a folder without locking or changing it, also while another process writes it: what was durable when the
 * reader was opened. For tools.
 *
 * RD1. Nothing in the folder is written or removed.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { Journal } from "@glia-os/abi/ports";
import { diskFailure } from "../../disk-failure.ts";
import { StoreClosedError } from "../../errors.ts";
import { CheckedJournal } from "../checked-journal.ts";
import type { EntryLog } from "../entry.ts";
import { JournalCorruptError } from "../errors.ts";
import { journalLimits } from "../limits.ts";
import { JournalRules } from "../rules.ts";
import { BODY_SUM, soundBody } from "./entry-codec.ts";
import { fileName } from "./log-file.ts";
import { NodeFiles } from "./node-files.ts";
import { OpenFiles } from "./open-files.ts";
import { type CutTail, type Recovered, type RecoveredFile, recover } from "./recovery.ts";

/** What can be asked of a reader. */
export interface JournalReader
  extends Pick<Journal, "read" | "head" | "domains" | "segments" | "readSegment" | "close"> {
  /** Bytes after the last sound group: a write that was under way, or what a crash left of one. */
  readonly cut: CutTail | undefined;
}

/**
 * Open a folder for reading. A folder without a journal has no domains.
 * @throws `store.cannot-open`, `store.not-writable` for one that may not be read, `store.journal-corrupt`, `store.journal-newer`
 */
export function openJournalReader(folder: string): JournalReader {
  if (typeof folder !== "string" || folder === "" || folder.includes("\0"))
    throw new MalformedError("folder", "it does not name a folder");
  try {
    const files = new NodeFiles(folder, "r");
    return new FolderReader(recover(files), new OpenFiles(files));
  } catch (error) {
    throw diskFailure(error) ?? error;
  }
}

class FolderReader extends CheckedJournal implements JournalReader {
  readonly cut: CutTail | undefined;

  constructor(recovered: Recovered, open: OpenFiles) {
    const log = new ReadLog(recovered.files, open);
    const rules = new JournalRules(log, journalLimits(), recovered.table);
    let closed = false;
    super({
      async ask(request) {
        if (closed) throw new StoreClosedError();
        return rules.perform(request);
      },
      async end() {
        closed = true;
        open.close();
      },
    });
    this.cut = recovered.cut;
  }
}

/** Finds bodies; takes no entries (RD1). */
class ReadLog implements EntryLog {
  readonly #files: readonly RecoveredFile[];
  readonly #open: OpenFiles;

  constructor(files: readonly RecoveredFile[], open: OpenFiles) {
    this.#files = files;
    this.#open = open;
  }

  reserve(): never {
    throw new StoreClosedError();
  }

  put(): never {
    throw new StoreClosedError();
  }

  release(): void {}

  load(place: number, length: number): Uint8Array {
    const file = this.#files.findLast(({ head }) => head.start <= place) as RecoveredFile;
    const at = file.dataStart + place - file.head.start;
    const body = soundBody(this.#open.get(file.number).read(at, BODY_SUM + length), length);
    if (body === undefined)
      throw new JournalCorruptError(fileName(file.number), at, "a batch fails its checksum");
    return body;
  }
}
