/**
 * The domains that one group of requests is about, read at the start of its transaction, and the entries the rules put.
 *
 * S1. A domain is read as far as the group may need it: its open segment for an append, all its batches' numbers for the rest; bodies
 *     only where a segment may be made of them.
 * S2. What was read has no gaps, or the domain is refused (`store.corrupt`).
 * S3. A slice is used once. Nothing of it outlives the transaction.
 */
import type { SegmentInfo } from "@glia-os/abi/ports";
import { CorruptError } from "../../errors.ts";
import { batchSum } from "../../journal/batch-sum.ts";
import { DomainLog, type PlacedBatch } from "../../journal/domain-log.ts";
import { DomainTable } from "../../journal/domain-table.ts";
import type { Entry, EntryLog } from "../../journal/entry.ts";
import type { Row } from "../connection.ts";

/** The row that every change locks. */
export interface JournalTotals {
  readonly domains: number;
  readonly bytes: number;
  readonly next_number: number;
  readonly next_place: number;
}

/** Collects what the rules put, and gives them the bodies that were read. */
export class SliceLog implements EntryLog {
  readonly entries: Entry[] = [];
  /** By place: bodies that were read, and those that were put. */
  readonly bodies: Map<number, Uint8Array> = new Map();
  readonly places: Map<Entry, number> = new Map();
  readonly released: Set<number> = new Set();
  readonly #where: string;
  nextPlace: number;

  constructor(where: string, nextPlace: number) {
    this.#where = where;
    this.nextPlace = nextPlace;
  }

  /** The server says by itself when it has no room; the transaction is rolled back then. */
  reserve(): void {}

  put(entry: Entry): number {
    this.entries.push(entry);
    if (entry.kind !== "batch") return 0;
    const place = this.nextPlace++;
    this.bodies.set(place, entry.body);
    this.places.set(entry, place);
    return place;
  }

  /** @throws `store.corrupt` for a body that is not what was put. */
  load(place: number): Uint8Array {
    const body = this.bodies.get(place);
    if (body === undefined) throw new CorruptError(this.#where, `the batch in row ${place} is missing`);
    return body;
  }

  release(place: number): void {
    this.released.add(place);
  }

  /** Keep the bodies of some rows. @throws `store.corrupt` for one that fails its checksum. */
  keep(rows: readonly Row[]): void {
    for (const row of rows) this.bodies.set(Number(row["place"]), checkedBody(row, this.#where));
  }
}

/** The body of a row with all columns of a batch. @throws `store.corrupt`. */
export function checkedBody(row: Row, where: string): Uint8Array {
  const body = row["body"] as Uint8Array;
  const { epoch, firstSeq, count } = placedOf(row);
  if (batchSum(Number(row["domain"]), { epoch, firstSeq, count }, body) === row["sum"])
    return new Uint8Array(body);
  throw new CorruptError(where, `the batch in row ${row["place"]} fails its checksum`);
}

/** The numbers of a batch. */
export function placedOf(row: Row): PlacedBatch {
  return {
    epoch: Number(row["epoch"]),
    firstSeq: Number(row["first_seq"]),
    count: Number(row["count"]),
    length: Number(row["length"]),
    place: Number(row["place"]),
  };
}

/** Rows of some domains. */
export interface DomainRows {
  readonly domains: readonly Row[];
  readonly segments: readonly Row[];
  readonly batches: readonly Row[];
}

/** The table of the domains that were read (S2). @throws `store.corrupt`. */
export function tableOf(
  { domains, segments, batches }: DomainRows,
  totals: JournalTotals,
  where: string,
): DomainTable {
  const batchesOf = Map.groupBy(batches, (row) => row["domain"]);
  const segmentsOf = Map.groupBy(segments, (row) => row["domain"]);
  const table = new DomainTable();
  for (const row of domains) {
    const number = row["number"];
    const log = domainOf(row, segmentsOf.get(number) ?? [], batchesOf.get(number) ?? [], where);
    table.byName.set(log.name, log);
    table.byNumber.set(log.number, log);
  }
  table.others = totals.domains - domains.length;
  table.bytes = totals.bytes;
  table.nextNumber = totals.next_number;
  return table;
}

function domainOf(row: Row, segments: readonly Row[], batches: readonly Row[], where: string): DomainLog {
  const log = new DomainLog(String(row["name"]), Number(row["number"]));
  const sealed = segments.map((segment) => segmentOf(log.name, segment));
  log.firstSeq = Number(row["first_seq"]);
  log.anchorHash = String(row["anchor_hash"]);
  const firstRead = Number(batches[0]?.["first_seq"] ?? row["next_seq"]);
  // Segments whose batches were not read count as sealed before the first one that was.
  for (const segment of sealed) if (segment.lastSeq < firstRead) log.seal(segment);
  log.nextSeq = firstRead;
  for (const batch of batches.map(placedOf)) {
    if (batch.firstSeq !== log.nextSeq) throw missing(where, log, log.nextSeq);
    log.add(batch);
    const segment = sealed.find(({ lastSeq }) => lastSeq === log.nextSeq - 1);
    if (segment !== undefined && segment.firstSeq === log.openSeq) log.seal(segment);
  }
  if (log.nextSeq !== Number(row["next_seq"])) throw missing(where, log, log.nextSeq);
  if (log.sealed.length !== sealed.length || firstOpen(log) !== log.openSeq)
    throw missing(where, log, log.openSeq);
  log.epoch = Number(row["epoch"]);
  log.bytes = Number(row["bytes"]);
  return log;
}

/** Where the batches after the last segment start. */
function firstOpen(log: DomainLog): number {
  return log.batches[log.indexOf(log.openSeq)]?.firstSeq ?? log.nextSeq;
}

function missing(where: string, log: DomainLog, seq: number): CorruptError {
  return new CorruptError(where, `record ${seq} of ${log.name} is missing or there twice`);
}

function segmentOf(domain: string, row: Row): SegmentInfo {
  const { epoch, bytes } = row;
  return {
    domain,
    epoch: Number(epoch),
    firstSeq: Number(row["first_seq"]),
    lastSeq: Number(row["last_seq"]),
    bytes: Number(bytes),
    hash: String(row["hash"]),
  };
}
