/** Entries and checkpoints as bytes (docs/spec/journal-file.md). */
import { crc32 } from "node:zlib";
import type { SegmentInfo } from "@glia-os/abi/ports";
import { DomainLog } from "../domain-log.ts";
import { DomainTable } from "../domain-table.ts";
import type { Entry } from "../entry.ts";
import { ByteReader, type ByteWriter, ShortBytes } from "./bytes.ts";

/** The most bytes an entry takes besides a body. */
export const ENTRY_BYTES = 160;
/** Bytes of the checksum before every body; a place points at it. */
export const BODY_SUM = 4;

const KIND = {
  domain: 1,
  start: 2,
  batch: 3,
  seal: 4,
  truncate: 5,
  remove: 6,
  copy: 7,
  rollover: 8,
} as const;

/** What a group of a file may hold besides entries: a batch moved here, and the name of the file that goes on. */
export type FileEntry =
  | Entry
  | (Omit<Entry & { kind: "batch" }, "kind"> & { readonly kind: "copy" })
  | { readonly kind: "rollover"; readonly file: number };

/** Append an entry. Returns the position of its body in the writer, 0 without one. */
export function writeEntry(to: ByteWriter, entry: FileEntry): number {
  to.u8(KIND[entry.kind]);
  if (entry.kind === "rollover") {
    to.u64(entry.file);
    return 0;
  }
  to.u64(entry.domain);
  switch (entry.kind) {
    case "domain":
      to.name(entry.name);
      return 0;
    case "start":
      to.u64(entry.firstSeq);
      to.hash(entry.hash);
      return 0;
    case "batch":
    case "copy":
      return writeBatch(to, entry);
    case "seal":
      writeSeal(to, entry.segment);
      return 0;
    case "truncate":
      to.u64(entry.firstSeq);
      return 0;
    case "remove":
      return 0;
  }
}

function writeBatch(to: ByteWriter, entry: FileEntry & { kind: "batch" | "copy" }): number {
  to.u64(entry.epoch);
  to.u64(entry.firstSeq);
  to.u32(entry.count);
  to.u32(entry.body.length);
  const place = to.length;
  to.u32(crc32(entry.body));
  to.raw(entry.body);
  return place;
}

function writeSeal(to: ByteWriter, { epoch, firstSeq, lastSeq, bytes, hash }: SegmentInfo): void {
  to.u64(epoch);
  to.u64(firstSeq);
  to.u64(lastSeq);
  to.u64(bytes);
  to.hash(hash);
}

/** The body after its checksum, or `undefined` when it is not the one that was written. */
export function soundBody(summed: Uint8Array, length: number): Uint8Array | undefined {
  if (summed.length !== BODY_SUM + length) return undefined;
  const body = summed.subarray(BODY_SUM);
  return crc32(body) === new ByteReader(summed).u32() ? body : undefined;
}

/** Read an entry and the position of its body. `nameOf` gives the names of domains known before it. */
export function readEntry(
  from: ByteReader,
  nameOf: (domain: number) => string,
): { readonly entry: FileEntry; readonly place: number } {
  const kind = from.u8();
  if (kind === KIND.rollover) return { entry: { kind: "rollover", file: from.u64() }, place: 0 };
  const domain = from.u64();
  switch (kind) {
    case KIND.domain:
      return { entry: { kind: "domain", domain, name: from.name() }, place: 0 };
    case KIND.start:
      return { entry: { kind: "start", domain, firstSeq: from.u64(), hash: from.hash() }, place: 0 };
    case KIND.batch:
      return readBatch(from, "batch", domain);
    case KIND.copy:
      return readBatch(from, "copy", domain);
    case KIND.seal:
      return { entry: { kind: "seal", domain, segment: readSeal(from, nameOf(domain)) }, place: 0 };
    case KIND.truncate:
      return { entry: { kind: "truncate", domain, firstSeq: from.u64() }, place: 0 };
    case KIND.remove:
      return { entry: { kind: "remove", domain }, place: 0 };
    default:
      throw new ShortBytes(from.at);
  }
}

function readBatch(
  from: ByteReader,
  kind: "batch" | "copy",
  domain: number,
): { readonly entry: FileEntry; readonly place: number } {
  const epoch = from.u64();
  const firstSeq = from.u64();
  const count = from.u32();
  const length = from.u32();
  const place = from.at;
  from.u32();
  return { entry: { kind, domain, epoch, firstSeq, count, body: from.raw(length) }, place };
}

function readSeal(from: ByteReader, domain: string): SegmentInfo {
  const [epoch, firstSeq, lastSeq, bytes] = [from.u64(), from.u64(), from.u64(), from.u64()];
  return { domain, epoch, firstSeq, lastSeq, bytes, hash: from.hash() };
}

/** Append all a table knows but where bodies lie. Equal tables give equal bytes. */
export function writeTable(to: ByteWriter, table: DomainTable): void {
  to.u64(table.nextNumber);
  to.u32(table.byNumber.size);
  for (const log of [...table.byNumber.values()].sort((a, b) => a.number - b.number)) {
    to.u64(log.number);
    to.name(log.name);
    for (const value of [log.epoch, log.firstSeq, log.nextSeq, log.openBytes]) to.u64(value);
    to.hash(log.anchorHash);
    to.u32(log.sealed.length);
    for (const segment of log.sealed) writeSeal(to, segment);
  }
}

/** The table that was written. */
export function readTable(from: ByteReader): DomainTable {
  const table = new DomainTable();
  const nextNumber = from.u64();
  for (let left = from.u32(); left > 0; left--) {
    const number = from.u64();
    const log = new DomainLog(from.name(), number);
    log.epoch = from.u64();
    log.firstSeq = from.u64();
    log.nextSeq = from.u64();
    log.openBytes = from.u64();
    log.anchorHash = from.hash();
    for (let seals = from.u32(); seals > 0; seals--) log.sealed.push(readSeal(from, log.name));
    table.byName.set(log.name, log);
    table.byNumber.set(number, log);
  }
  table.nextNumber = nextNumber;
  return table;
}
