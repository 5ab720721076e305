/**
 * What a journal accepts, whatever it is stored on: requests in, entries out (docs/spec/journal.md; J1-J5 of the port).
 *
 * R1. A refused request has put no entry.
 * R2. A segment is sealed before a batch when the open one is full or has an older epoch.
 */
import type { DomainHead, JoinedBatches, JournalBatch, SegmentInfo } from "@glia-os/abi/ports";
import { StoreFullError } from "../errors.ts";
import { type DomainLog, NO_HASH, type PlacedBatch } from "./domain-log.ts";
import { DomainTable } from "./domain-table.ts";
import type { Entry, EntryLog } from "./entry.ts";
import {
  DomainUnknownError,
  JournalGapError,
  JournalTruncatedError,
  SegmentRefusedError,
  SegmentUnknownError,
  StaleEpochError,
  TooManyDomainsError,
} from "./errors.ts";
import type { JournalLimits } from "./limits.ts";
import type { JournalReply, JournalRequest } from "./request.ts";
import { decodeSegment, encodeSegment, type Segment, segmentHash } from "./segment.ts";

type ReadRequest = JournalRequest & { readonly op: "read" };

/** Judges and performs requests on one entry log. */
export class JournalRules {
  readonly table: DomainTable;
  readonly #log: EntryLog;
  readonly #limits: JournalLimits;

  constructor(log: EntryLog, limits: JournalLimits, table: DomainTable = new DomainTable()) {
    this.#log = log;
    this.#limits = limits;
    this.table = table;
  }

  /** Perform one request. @throws the refusals of the port. */
  perform(request: JournalRequest): JournalReply {
    switch (request.op) {
      case "append":
        return this.#append(request);
      case "read":
        return this.#read(request);
      case "head":
        return this.table.byName.get(request.domain)?.head();
      case "domains":
        return this.#domains(request.after, request.limit);
      case "seal":
        return this.#sealNow(this.#known(request.domain));
      case "segments":
        return [...this.#known(request.domain).sealed];
      case "readSegment":
        return this.#readSegment(request.domain, request.firstSeq);
      case "acceptSegment":
        return this.#accept(request.segment);
      case "truncate":
        return this.#truncate(this.#known(request.domain), request.beforeSeq);
      case "remove":
        return this.#remove(request.domain);
    }
  }

  #append(batch: JournalBatch): undefined {
    const known = this.table.byName.get(batch.domain);
    const nextSeq = known?.nextSeq ?? 1;
    if (batch.epoch < (known?.epoch ?? 0))
      throw new StaleEpochError(batch.domain, batch.epoch, known?.epoch ?? 0);
    if (batch.firstSeq !== nextSeq) throw new JournalGapError(batch.domain, batch.firstSeq, nextSeq);
    this.#reserve(known, batch.body.length);
    const log = known ?? this.#register(batch.domain);
    if (log.openBytes > 0 && (batch.epoch > log.epoch || log.openBytes >= this.#limits.segmentBytes))
      this.#seal(log);
    const { epoch, firstSeq, count, body } = batch;
    this.#put({ kind: "batch", domain: log.number, epoch, firstSeq, count, body });
  }

  #read({ domain, fromSeq, most, joined = false }: ReadRequest): readonly JournalBatch[] | JoinedBatches {
    const log = this.table.byName.get(domain);
    if (log === undefined) return [];
    if (fromSeq < log.firstSeq) throw new JournalTruncatedError(domain, fromSeq, log.firstSeq);
    const first = log.indexOf(fromSeq);
    let end = first;
    for (let bytes = 0; end < log.batches.length && bytes < most; end++)
      bytes += (log.batches[end] as PlacedBatch).length;
    const found = log.batches.slice(first, end);
    const body = joined && found.length > 0 ? this.#log.loadJoined?.(found) : undefined;
    if (body === undefined) return found.map((batch) => this.#loaded(domain, batch));
    const [firstOne, lastOne] = [found[0] as PlacedBatch, found.at(-1) as PlacedBatch];
    const count = lastOne.firstSeq + lastOne.count - firstOne.firstSeq;
    return { firstSeq: firstOne.firstSeq, count, body };
  }

  #loaded(domain: string, { epoch, firstSeq, count, place, length }: PlacedBatch): JournalBatch {
    return { domain, epoch, firstSeq, count, body: this.#log.load(place, length) };
  }

  #domains(after: string, limit: number): readonly DomainHead[] {
    const names = [...this.table.byName.keys()].filter((name) => name > after).sort();
    return names.slice(0, limit).flatMap((name) => this.table.byName.get(name)?.head() ?? []);
  }

  #sealNow(log: DomainLog): SegmentInfo | undefined {
    if (log.openBytes === 0) return undefined;
    this.#log.reserve(1, 0);
    return this.#seal(log);
  }

  #seal(log: DomainLog): SegmentInfo {
    const bytes = this.#segmentBytes(log, log.openSeq, log.nextSeq - 1, log.chainHash);
    const segment: SegmentInfo = {
      domain: log.name,
      epoch: log.epoch,
      firstSeq: log.openSeq,
      lastSeq: log.nextSeq - 1,
      bytes: bytes.length,
      hash: segmentHash(bytes),
    };
    this.#put({ kind: "seal", domain: log.number, segment });
    return segment;
  }

  #segmentBytes(log: DomainLog, firstSeq: number, lastSeq: number, prevHash: string): Uint8Array {
    const placed = log.between(firstSeq, lastSeq);
    const batches = placed.map(({ count, place, length }) => ({
      count,
      body: this.#log.load(place, length),
    }));
    const epoch = placed[0]?.epoch ?? log.epoch;
    return encodeSegment({ domain: log.name, epoch, firstSeq, prevHash, batches });
  }

  #readSegment(domain: string, firstSeq: number): Uint8Array {
    const log = this.#known(domain);
    const at = log.sealed.findIndex((segment) => segment.firstSeq === firstSeq);
    const segment = log.sealed[at];
    if (segment === undefined) throw new SegmentUnknownError(domain, firstSeq);
    const prevHash = log.sealed[at - 1]?.hash ?? log.anchorHash;
    return this.#segmentBytes(log, firstSeq, segment.lastSeq, prevHash);
  }

  #accept(bytes: Uint8Array): SegmentInfo {
    const segment = decodeSegment(bytes);
    const known = this.table.byName.get(segment.domain);
    if (known === undefined) refuseOrphan(segment);
    else refuseStranger(known, segment);
    const size = segment.batches.reduce((sum, { body }) => sum + body.length, 0);
    this.#reserve(known, size, segment.batches.length);
    const log = known ?? this.#register(segment.domain);
    const domain = log.number;
    if (segment.firstSeq !== log.nextSeq || segment.prevHash !== log.chainHash)
      this.#put({ kind: "start", domain, firstSeq: segment.firstSeq, hash: segment.prevHash });
    let firstSeq = segment.firstSeq;
    for (const { count, body } of segment.batches) {
      this.#put({ kind: "batch", domain, epoch: segment.epoch, firstSeq, count, body });
      firstSeq += count;
    }
    const info: SegmentInfo = {
      domain: segment.domain,
      epoch: segment.epoch,
      firstSeq: segment.firstSeq,
      lastSeq: firstSeq - 1,
      bytes: bytes.length,
      hash: segmentHash(bytes),
    };
    this.#put({ kind: "seal", domain, segment: info });
    return info;
  }

  #truncate(log: DomainLog, beforeSeq: number): number {
    const kept = log.sealed.find(({ lastSeq }) => lastSeq >= beforeSeq);
    const firstSeq = kept?.firstSeq ?? log.openSeq;
    if (firstSeq > log.firstSeq) {
      this.#log.reserve(1, 0);
      this.#put({ kind: "truncate", domain: log.number, firstSeq });
    }
    return log.firstSeq;
  }

  #remove(domain: string): undefined {
    const log = this.table.byName.get(domain);
    if (log === undefined) return;
    this.#log.reserve(1, 0);
    this.#put({ kind: "remove", domain: log.number });
  }

  #known(domain: string): DomainLog {
    const log = this.table.byName.get(domain);
    if (log === undefined) throw new DomainUnknownError(domain);
    return log;
  }

  #register(name: string): DomainLog {
    const number = this.table.nextNumber;
    this.#put({ kind: "domain", domain: number, name });
    return this.#known(name);
  }

  /** Room for `batches` batches of `bytes` in all, a new domain's entries and a seal (R1). */
  #reserve(known: DomainLog | undefined, bytes: number, batches = 1): void {
    if (known === undefined && this.table.byName.size + this.table.others >= this.#limits.maxDomains)
      throw new TooManyDomainsError(this.#limits.maxDomains);
    if (this.table.bytes + bytes > this.#limits.maxBytes)
      throw new StoreFullError(`its records may take ${this.#limits.maxBytes} bytes in all`);
    this.#log.reserve(batches + 3, bytes);
  }

  #put(entry: Entry): void {
    const freed = this.table.apply(entry, this.#log.put(entry));
    for (const { place, length } of freed) this.#log.release(place, length);
  }
}

/** J4: a segment continues the chain of the domain, which has no open records. */
function refuseStranger(log: DomainLog, segment: Segment): void {
  if (segment.epoch < log.epoch) throw new StaleEpochError(log.name, segment.epoch, log.epoch);
  if (log.openBytes > 0) throw new SegmentRefusedError(`${log.name} has records after its last segment`);
  if (segment.firstSeq !== log.nextSeq)
    throw new SegmentRefusedError(`it starts with record ${segment.firstSeq}, the next is ${log.nextSeq}`);
  if (segment.prevHash !== log.chainHash)
    throw new SegmentRefusedError("the segment before it is not the one held here");
}

/** J4: only a first segment has no predecessor. */
function refuseOrphan({ firstSeq, prevHash }: Segment): void {
  if ((firstSeq === 1) !== (prevHash === NO_HASH))
    throw new SegmentRefusedError("record 1 starts the chain, and no other record does");
}
