/**
 * The entry log of a journal on files: entries gather in one group, which `commit` writes and flushes at once.
 *
 * W1. When `commit` returns, every entry put before it is on the disk. Nothing is acknowledged before.
 * W2. After a write or flush failed nobody knows what reached the disk: every later call is refused (`store.write-failed`).
 * W3. The entries of one request are in one group, so a crash keeps all of them or none.
 * W4. A file is left for the next one only after the next one's header is flushed; then the old one names it.
 * W5. A file is removed only after every body in it that is still needed is flushed elsewhere.
 */
import { isGliaError } from "@glia-os/abi/errors";
import { diskFailure } from "../../disk-failure.ts";
import { WriteFailedError } from "../../errors.ts";
import type { PlacedBatch } from "../domain-log.ts";
import type { DomainTable } from "../domain-table.ts";
import type { Entry, EntryLog } from "../entry.ts";
import { JournalCorruptError } from "../errors.ts";
import { ByteWriter } from "./bytes.ts";
import { BODY_SUM, ENTRY_BYTES, type FileEntry, soundBody, writeEntry, writeTable } from "./entry-codec.ts";
import type { JournalFile, JournalFiles } from "./files.ts";
import { joinBodies } from "./joined-bodies.ts";
import { beginGroup, encodeHead, FILE_HEAD, fileName, finishGroup, GROUP_HEAD } from "./log-file.ts";
import { OpenFiles } from "./open-files.ts";
import { ReadAhead } from "./read-ahead.ts";
import type { CutTail, Recovered } from "./recovery.ts";

/** How files are made. */
export interface FileLogOptions {
  /** Size of a file; a larger one is made when a request needs it. */
  readonly fileBytes: number;
  /** Unpredictable bytes for the salt of a file. */
  readonly salt: () => Uint8Array;
}

/** A group is committed when it has this many bytes, whatever waits. */
const GROUP_BYTES = 4 * 2 ** 20;
/** Room kept in every file for the group that names the next one. */
const ROLLOVER_BYTES = GROUP_HEAD + ENTRY_BYTES;

interface LogFile {
  readonly number: number;
  /** The position in the whole log of its first group. */
  readonly start: number;
  readonly dataStart: number;
  tail: number;
  /** Bytes of bodies still needed. */
  live: number;
  readonly salt: Uint8Array;
}

/** Writes entries of `table` to files. */
export class FileLog implements EntryLog {
  readonly table: DomainTable;
  /** What recovery cut off, if it did. */
  readonly cut: CutTail | undefined;
  readonly #options: FileLogOptions;
  readonly #files: JournalFiles;
  readonly #open: OpenFiles;
  readonly #ahead: ReadAhead = new ReadAhead();
  /** Oldest first; the last one is written to. */
  readonly #logs: LogFile[] = [];
  readonly #group: ByteWriter = new ByteWriter(2 ** 16);
  #entries = 0;
  #nextGroup: number;
  /** The position in the whole log of the group that gathers. */
  #groupStart = 0;
  /** A file made ahead of need, by number and size. */
  #spare: { readonly number: number; readonly size: number } | undefined;
  #compactionDue = false;
  #failed: WriteFailedError | undefined;

  /** Write on what was recovered, or begin a journal. @throws `store.full` and the like when the first file cannot be made. */
  constructor(files: JournalFiles, recovered: Recovered, options: FileLogOptions) {
    this.#files = files;
    this.#open = new OpenFiles(files);
    this.#options = options;
    this.table = recovered.table;
    this.cut = recovered.cut;
    this.#nextGroup = recovered.nextGroup;
    for (const { number, head, dataStart, tail } of recovered.files)
      this.#logs.push({ number, start: head.start, dataStart, tail, live: 0, salt: head.salt });
    for (const number of recovered.unused) files.remove(fileName(number));
    for (const { batches } of this.table.byNumber.values())
      for (const { place, length } of batches) this.#fileOf(place).live += length;
    if (this.#logs.length === 0) this.#beginFile(0);
    else this.#eraseTail();
    this.#beginGroup();
  }

  reserve(entries: number, bytes: number): void {
    if (this.#failed !== undefined) throw this.#failed;
    const need = entries * ENTRY_BYTES + bytes;
    if (this.#entries > 0 && (this.#group.length + need > GROUP_BYTES || !this.#fits(need))) this.commit();
    if (!this.#fits(need)) this.#rollOver(need);
  }

  put(entry: Entry): number {
    return this.#put(entry);
  }

  load(place: number, length: number): Uint8Array {
    const body = soundBody(this.#read(place, BODY_SUM + length), length);
    return body ?? this.#damaged(place);
  }

  loadJoined(batches: readonly PlacedBatch[]): Uint8Array {
    return joinBodies(
      batches,
      (place, length) => this.#read(place, length),
      (place) => this.#endOf(place),
      (batch) => this.#damaged(batch.place),
    );
  }

  release(place: number, length: number): void {
    this.#fileOf(place).live -= length;
  }

  /** Write and flush what was put since the last commit (W1). @throws `store.write-failed` (W2). */
  commit(): void {
    if (this.#failed !== undefined) throw this.#failed;
    if (this.#entries === 0) return;
    this.#guarded(() => this.#writeGroup());
    this.#beginGroup();
  }

  /**
   * After a new file was begun: remove files that hold nothing needed; when less than half of all bytes is needed, move the rest
   * of the oldest on (W5). Call it between groups. A failure refuses later calls (W2), nothing acknowledged is lost.
   */
  compact(): void {
    if (!this.#compactionDue) return;
    this.#compactionDue = false;
    for (let files = this.#logs.length; files > 1; files--) {
      const oldest = this.#logs[0] as LogFile;
      if (oldest.live > 0 && !this.#mostlyDead()) return;
      if (oldest.live > 0) this.#moveBatches(oldest);
      this.commit();
      this.#logs.shift();
      this.#remove(oldest.number);
    }
  }

  /** Make the next file when this one is half full, so that no request has to wait for it. */
  prepare(): void {
    const { file, log } = this.#active();
    if (this.#failed !== undefined || this.#spare !== undefined || log.tail < file.size / 2) return;
    try {
      this.#makeSpare(this.#options.fileBytes);
    } catch (error) {
      // No room now is no failure yet: the request that needs the file tries again and is refused by name.
      if (!isGliaError(error)) throw error;
    }
  }

  close(): void {
    this.#open.close();
  }

  #put(entry: FileEntry): number {
    const place = this.#groupStart + writeEntry(this.#group, entry);
    this.#entries += 1;
    if (entry.kind === "batch") this.#active().log.live += entry.body.length;
    return place;
  }

  #read(place: number, length: number): Uint8Array {
    if (place >= this.#groupStart) {
      const at = place - this.#groupStart;
      return this.#group.bytes.slice(at, at + length);
    }
    const log = this.#fileOf(place);
    const at = log.dataStart + place - log.start;
    return this.#ahead.read(this.#open.get(log.number), log.number, at, length, log.tail);
  }

  /** Where what is read together with a place has to end: its file, or the group that gathers. */
  #endOf(place: number): number {
    if (place >= this.#groupStart) return Number.POSITIVE_INFINITY;
    const { start, tail, dataStart } = this.#fileOf(place);
    return start + tail - dataStart;
  }

  #damaged(place: number): never {
    const { number, start, dataStart } = this.#fileOf(place);
    throw new JournalCorruptError(fileName(number), dataStart + place - start, "a batch fails its checksum");
  }

  #active(): { readonly log: LogFile; readonly file: JournalFile } {
    const log = this.#logs.at(-1) as LogFile;
    return { log, file: this.#open.get(log.number) };
  }

  #fileOf(place: number): LogFile {
    let at = this.#logs.length - 1;
    while (at > 0 && (this.#logs[at] as LogFile).start > place) at--;
    return this.#logs[at] as LogFile;
  }

  #fits(need: number): boolean {
    const { log, file } = this.#active();
    return log.tail + this.#group.length + need + ROLLOVER_BYTES <= file.size;
  }

  #beginGroup(): void {
    const { log } = this.#active();
    this.#groupStart = log.start + log.tail - log.dataStart;
    this.#entries = 0;
    beginGroup(this.#group);
  }

  #writeGroup(): void {
    const { log, file } = this.#active();
    const bytes = finishGroup(this.#group, log.salt, this.#nextGroup, this.#entries);
    file.write(log.tail, bytes);
    file.sync();
    log.tail += bytes.length;
    this.#nextGroup += 1;
  }

  /** W4. Making the next file may fail with nothing changed; after that a failure is final. */
  #rollOver(need: number): void {
    const { log } = this.#active();
    const number = log.number + 1;
    const checkpoint = new ByteWriter();
    writeTable(checkpoint, this.table);
    const least = FILE_HEAD + checkpoint.length + GROUP_HEAD + need + ROLLOVER_BYTES;
    this.#makeSpare(Math.max(this.#options.fileBytes, least));
    this.#guarded(() => {
      const end = log.start + log.tail - log.dataStart + GROUP_HEAD + rolloverLength(number);
      const next = this.#writeHead(number, end, this.#nextGroup + 1, checkpoint.bytes);
      this.#put({ kind: "rollover", file: number });
      this.#writeGroup();
      this.#logs.push(next);
      this.#spare = undefined;
    });
    this.#beginGroup();
    this.#compactionDue = true;
  }

  #beginFile(start: number): void {
    const checkpoint = new ByteWriter();
    writeTable(checkpoint, this.table);
    this.#makeSpare(this.#options.fileBytes);
    this.#guarded(() => this.#logs.push(this.#writeHead(1, start, this.#nextGroup, checkpoint.bytes)));
    this.#spare = undefined;
  }

  #writeHead(number: number, start: number, firstGroup: number, checkpoint: Uint8Array): LogFile {
    const salt = this.#options.salt();
    const file = this.#open.get(number);
    file.write(0, encodeHead({ number, start, firstGroup, salt, checkpoint }));
    file.sync();
    const dataStart = FILE_HEAD + checkpoint.length;
    return { number, start, dataStart, tail: dataStart, live: 0, salt };
  }

  #makeSpare(size: number): void {
    const number = (this.#logs.at(-1)?.number ?? 0) + 1;
    if (this.#spare !== undefined && this.#spare.size >= size) return;
    try {
      if (this.#spare !== undefined) this.#remove(number);
      this.#spare = undefined;
      this.#open.add(number, this.#files.create(fileName(number), size));
      this.#spare = { number, size };
    } catch (error) {
      throw diskFailure(error) ?? error;
    }
  }

  #mostlyDead(): boolean {
    const used = this.#logs.reduce((sum, { tail, dataStart }) => sum + tail - dataStart, 0);
    return this.#logs.length > 2 && this.table.bytes * 2 < used;
  }

  #moveBatches(from: LogFile): void {
    for (const log of this.table.byNumber.values())
      for (const [i, batch] of log.batches.entries())
        if (this.#fileOf(batch.place) === from) log.batches[i] = this.#moved(log.number, batch);
  }

  #moved(domain: number, batch: PlacedBatch): PlacedBatch {
    const body = this.load(batch.place, batch.length);
    this.reserve(1, body.length);
    const { epoch, firstSeq, count, length } = batch;
    const place = this.#put({ kind: "copy", domain, epoch, firstSeq, count, body });
    this.release(batch.place, length);
    this.#active().log.live += length;
    return { ...batch, place };
  }

  /** Overwrite what recovery cut off, so that it is never read again. */
  #eraseTail(): void {
    const { cut } = this;
    if (cut === undefined) return;
    this.#guarded(() => {
      const { file } = this.#active();
      file.write(cut.offset, new Uint8Array(cut.bytes));
      file.sync();
    });
  }

  #remove(number: number): void {
    this.#open.forget(number);
    this.#files.remove(fileName(number));
  }

  /** W2. */
  #guarded(write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failed = new WriteFailedError(diskFailure(error)?.message ?? String(error));
      throw this.#failed;
    }
  }
}

function rolloverLength(file: number): number {
  const entry = new ByteWriter();
  writeEntry(entry, { kind: "rollover", file });
  return entry.length;
}
