/**
 * What a journal knows of one domain: where it stands, where its batches lie, and its chain of sealed segments.
 *
 * D1. Batches are contiguous: each starts where the one before it ended.
 * D2. A segment has one epoch. The open one holds the batches after the last sealed one.
 */
import type { DomainHead, SegmentInfo } from "@glia-os/abi/ports";

/** A batch whose body lies at `place` of the store. */
export interface PlacedBatch {
  readonly epoch: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly length: number;
  readonly place: number;
}

/** Thirty-two zero bytes, the predecessor of a first segment. */
export const NO_HASH: string = "0".repeat(64);
/** Bytes of a segment before the domain's name. */
export const SEGMENT_HEAD = 56;
/** Bytes of a batch before its body. */
export const BATCH_HEAD = 12;

/** The state of one domain; changed by `JournalRules` alone. */
export class DomainLog {
  readonly name: string;
  /** Names the domain in the store's own records. Never used again. */
  readonly number: number;
  epoch = 0;
  firstSeq = 1;
  nextSeq = 1;
  /** Bytes of all bodies. */
  bytes = 0;
  /** The hash before the oldest segment kept. */
  anchorHash: string = NO_HASH;
  readonly sealed: SegmentInfo[] = [];
  readonly batches: PlacedBatch[] = [];
  /** Size of the open segment with its header; 0 when it has no batch. */
  openBytes = 0;

  constructor(name: string, number: number) {
    this.name = name;
    this.number = number;
  }

  /** The number of the open segment's first record. */
  get openSeq(): number {
    return (this.sealed.at(-1)?.lastSeq ?? this.firstSeq - 1) + 1;
  }

  /** The hash the next segment follows. */
  get chainHash(): string {
    return this.sealed.at(-1)?.hash ?? this.anchorHash;
  }

  head(): DomainHead {
    const { name, epoch, firstSeq, nextSeq, bytes } = this;
    return { domain: name, epoch, firstSeq, nextSeq, bytes };
  }

  add(batch: PlacedBatch): void {
    this.batches.push(batch);
    this.epoch = batch.epoch;
    this.nextSeq = batch.firstSeq + batch.count;
    this.bytes += batch.length;
    if (this.openBytes === 0) this.openBytes = SEGMENT_HEAD + this.name.length;
    this.openBytes += BATCH_HEAD + batch.length;
  }

  seal(segment: SegmentInfo): void {
    this.sealed.push(segment);
    this.openBytes = 0;
  }

  /** Remove whole segments before `firstSeq`, which starts a segment or is the next number. Returns their batches. */
  dropBefore(firstSeq: number): readonly PlacedBatch[] {
    while (this.sealed[0] !== undefined && this.sealed[0].lastSeq < firstSeq)
      this.anchorHash = this.sealed.shift()?.hash ?? NO_HASH;
    this.firstSeq = firstSeq;
    const dropped = this.batches.splice(0, this.indexOf(firstSeq));
    for (const { length } of dropped) this.bytes -= length;
    return dropped;
  }

  /** The position of the batch that holds record `seq`, or of the first after it. O(log n). */
  indexOf(seq: number): number {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.batches[middle] as PlacedBatch;
      if (batch.firstSeq + batch.count <= seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The batches of records `firstSeq` to `lastSeq`. */
  between(firstSeq: number, lastSeq: number): readonly PlacedBatch[] {
    return this.batches.slice(this.indexOf(firstSeq), this.indexOf(lastSeq + 1));
  }
}
