/**
 * Opening a journal that exists: read every file, apply every entry, and refuse rather than guess.
 *
 * V1. A damaged group with a sound one after it, in its file or a later one, was acknowledged: the journal is refused.
 * V2. What follows the last sound group of the last file is the tail of a write that was never acknowledged. It is cut off
 *     and reported; nothing else ever is.
 * V3. The records of every domain are there without gaps between the oldest kept and the newest, or the journal is refused.
 * V4. A crash may bring back files that were removed. Files before a missing number are such; V3 finds out if they are not.
 */
import type { DomainLog, PlacedBatch } from "../domain-log.ts";
import { DomainTable } from "../domain-table.ts";
import { JournalCorruptError } from "../errors.ts";
import { ByteReader, ByteWriter, ShortBytes } from "./bytes.ts";
import { type FileEntry, readEntry, readTable, writeTable } from "./entry-codec.ts";
import type { JournalFile, JournalFiles } from "./files.ts";
import {
  FILE_HEAD,
  type FileHead,
  fileName,
  fileNumbers,
  GROUP_HEAD,
  groupAt,
  readHead,
} from "./log-file.ts";

/** A file whose groups were read. */
export interface RecoveredFile {
  readonly number: number;
  readonly head: FileHead;
  /** Where its first group starts. */
  readonly dataStart: number;
  /** Where its next group would start. */
  readonly tail: number;
}

/** Bytes that were cut off (V2). */
export interface CutTail {
  readonly file: string;
  /** Where the last sound group ends. */
  readonly offset: number;
  /** Bytes from there to the last one that is not zero. */
  readonly bytes: number;
}

/** What a folder held. */
export interface Recovered {
  readonly table: DomainTable;
  /** Oldest first; the last one is written on. */
  readonly files: readonly RecoveredFile[];
  readonly nextGroup: number;
  readonly cut: CutTail | undefined;
  /** Files that were begun and never used, and removed ones that came back (V4). */
  readonly unused: readonly number[];
}

/** The first byte of a group. */
const GROUP_BEGIN = 0x47;
/** Compared at once with what may be the empty end of a file. */
const ZEROS = Buffer.alloc(4_096);

type Batch = FileEntry & { kind: "batch" | "copy" };

/** Read a journal; one without files when the folder holds none. @throws `store.journal-corrupt`, `store.journal-newer`. */
export function recover(files: JournalFiles): Recovered {
  const numbers = fileNumbers(files.list());
  const first = Math.max(
    0,
    numbers.findLastIndex((number, i) => numbers[i - 1] !== number - 1),
  );
  const recovered = new Recovery(files, numbers.slice(first)).run();
  const missing = (numbers[first] ?? 1) - 1;
  if (first > 0 && recovered.files.length === 0)
    throw new JournalCorruptError(
      fileName(missing),
      0,
      "it is missing, and the file after it was never used",
    );
  return { ...recovered, unused: [...numbers.slice(0, first), ...recovered.unused] };
}

class Recovery {
  readonly #files: JournalFiles;
  readonly #numbers: readonly number[];
  readonly #done: RecoveredFile[] = [];
  readonly #copies: Map<number, PlacedBatch[]> = new Map();
  #table: DomainTable = new DomainTable();
  #nextGroup = 1;
  /** The file the last one named to go on in. */
  #announced: number | undefined;
  /** Of the file read last. */
  #cut: CutTail | undefined;

  constructor(files: JournalFiles, numbers: readonly number[]) {
    this.#files = files;
    this.#numbers = numbers;
  }

  run(): Recovered {
    for (const [i, number] of this.#numbers.entries()) {
      const name = fileName(number);
      const file = this.#files.open(name);
      try {
        if (!this.#readFile(file, number, i === this.#numbers.length - 1)) break;
      } finally {
        file.close();
      }
    }
    this.#refuseMissingFile();
    indexBatches(this.#table, this.#copies);
    return {
      table: this.#table,
      files: this.#done,
      nextGroup: this.#nextGroup,
      cut: this.#cut,
      unused: this.#numbers.slice(this.#done.length),
    };
  }

  /** Read one file. `false` when it was begun and never used, which ends the journal. */
  #readFile(file: JournalFile, number: number, last: boolean): boolean {
    const name = fileName(number);
    const head = readHead(file, name);
    if (this.#done.length > 0 && this.#announced !== number) {
      if (last && this.#announced === undefined && !holdsGroup(file, head)) return false;
      throw new JournalCorruptError(
        name,
        0,
        `the end of file ${this.#done.at(-1)?.number}, which names it, is damaged`,
      );
    }
    if (head === undefined) {
      if (this.#done.length === 0 && last && !hasContent(file)) return false;
      throw new JournalCorruptError(name, 0, "its header or checkpoint fails the checksum");
    }
    this.#enter(head, name, number);
    this.#readGroups(file, head, name);
    return true;
  }

  #enter(head: FileHead, name: string, number: number): void {
    if (head.number !== number) throw new JournalCorruptError(name, 0, `it is file ${head.number}, renamed`);
    if (this.#done.length === 0) {
      this.#table = readChecked(name, FILE_HEAD, () => readTable(new ByteReader(head.checkpoint)));
      this.#nextGroup = head.firstGroup;
      return;
    }
    const before = new ByteWriter();
    writeTable(before, this.#table);
    if (head.firstGroup !== this.#nextGroup || !before.bytes.equals(head.checkpoint))
      throw new JournalCorruptError(name, FILE_HEAD, "groups of the file before it are missing");
  }

  #readGroups(file: JournalFile, head: FileHead, name: string): void {
    const dataStart = FILE_HEAD + head.checkpoint.length;
    const data = file.read(dataStart, file.size - dataStart);
    this.#announced = undefined;
    let at = 0;
    for (;;) {
      const group = groupAt(data, at, head.salt);
      if (group === undefined || group.number !== this.#nextGroup) break;
      const start = head.start + at + GROUP_HEAD;
      readChecked(name, dataStart + at, () => this.#apply(group.body, group.entries, start));
      at += GROUP_HEAD + group.body.length;
      this.#nextGroup += 1;
    }
    this.#refuseDamage(data, at, head, name, dataStart);
    this.#done.push({ number: head.number, head, dataStart, tail: dataStart + at });
    const bytes = contentLength(data.subarray(at));
    this.#cut = bytes > 0 ? { file: name, offset: dataStart + at, bytes } : undefined;
  }

  /** V1 within one file. The journal's last file may end in bytes that are no group; they must not be followed by one. */
  #refuseDamage(data: Uint8Array, end: number, head: FileHead, name: string, dataStart: number): void {
    for (let at = data.indexOf(GROUP_BEGIN, end); at >= 0; at = data.indexOf(GROUP_BEGIN, at + 1)) {
      if (groupAt(data, at, head.salt) === undefined) continue;
      throw new JournalCorruptError(name, dataStart + end, `group ${this.#nextGroup} is damaged`);
    }
  }

  /** V1 across files: the last file read must not name another one. */
  #refuseMissingFile(): void {
    if (this.#announced === undefined) return;
    const name = fileName(this.#announced);
    throw new JournalCorruptError(name, 0, "it is missing, and the file before it goes on in it");
  }

  #apply(body: Uint8Array, entries: number, start: number): void {
    const table = this.#table;
    const from = new ByteReader(body);
    for (let left = entries; left > 0; left--) {
      const { entry, place } = readEntry(from, (number) => table.byNumber.get(number)?.name ?? "");
      if (entry.kind === "rollover") this.#announced = entry.file;
      else if (entry.kind === "copy") this.#copied(entry, start + place);
      else table.apply(entry, start + place);
    }
    if (from.left > 0) throw new ShortBytes(from.at);
  }

  #copied(entry: Batch, place: number): void {
    const { domain, epoch, firstSeq, count, body } = entry;
    const copies = this.#copies.get(domain) ?? [];
    copies.push({ epoch, firstSeq, count, length: body.length, place });
    this.#copies.set(domain, copies);
  }
}

function readChecked<T>(name: string, offset: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ShortBytes)) throw error;
    throw new JournalCorruptError(name, offset, `what it says ends at byte ${error.at} of it`);
  }
}

/** Length without the zeros at the end. */
function contentLength(data: Uint8Array): number {
  let length = data.length;
  while (length >= ZEROS.length && ZEROS.equals(data.subarray(length - ZEROS.length, length)))
    length -= ZEROS.length;
  while (length > 0 && data[length - 1] === 0) length--;
  return length;
}

/** Whether a file was written on after it was begun: then the file before it named it once. */
function holdsGroup(file: JournalFile, head: FileHead | undefined): boolean {
  if (head === undefined) return false;
  const dataStart = FILE_HEAD + head.checkpoint.length;
  return groupAt(file.read(dataStart, file.size - dataStart), 0, head.salt) !== undefined;
}

function hasContent(file: JournalFile): boolean {
  return contentLength(file.read(0, file.size)) > 0;
}

/** Merge batches found as entries and as copies into the index of each domain (V3). */
function indexBatches(table: DomainTable, copies: ReadonlyMap<number, readonly PlacedBatch[]>): void {
  table.bytes = 0;
  for (const log of table.byNumber.values()) {
    const found = [...log.batches, ...(copies.get(log.number) ?? [])];
    const kept = newestBySeq(found.filter((batch) => batch.firstSeq + batch.count > log.firstSeq));
    refuseGaps(log, kept);
    log.batches.splice(0, log.batches.length, ...kept);
    log.bytes = kept.reduce((sum, { length }) => sum + length, 0);
    table.bytes += log.bytes;
  }
}

/** One batch per first record, the copy rather than the original, in order. */
function newestBySeq(found: readonly PlacedBatch[]): PlacedBatch[] {
  const bySeq = new Map<number, PlacedBatch>();
  for (const batch of [...found].sort((a, b) => a.place - b.place)) bySeq.set(batch.firstSeq, batch);
  return [...bySeq.values()].sort((a, b) => a.firstSeq - b.firstSeq);
}

function refuseGaps(log: DomainLog, batches: readonly PlacedBatch[]): void {
  let next = log.firstSeq;
  for (const { firstSeq, count } of batches) {
    if (firstSeq !== next) break;
    next += count;
  }
  if (next === log.nextSeq) return;
  throw new JournalCorruptError(
    "the journal",
    0,
    `records ${next} to ${log.nextSeq - 1} of ${log.name} are missing`,
  );
}
