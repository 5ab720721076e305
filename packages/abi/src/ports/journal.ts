/**
 * The append-only logs of durable domains (docs/spec/journal.md).
 *
 * J1. The records of a domain are numbered from 1 without gaps. An append at any other number than the next is refused.
 * J2. An append under an older epoch than the newest the domain has seen is refused, and nothing of it is written.
 * J3. A batch is there whole or not at all, and stays once `append` resolved.
 * J4. The sealed segments of a domain form a chain by hash; a segment that does not continue the chain is refused.
 * J5. Truncation removes whole sealed segments from the front, never a record at or after the given number.
 */

/** Records of one domain that are accepted together. The journal does not look into them. */
export interface JournalBatch {
  /** A durable root task and its descendants: 1 to 128 characters of printable ASCII without spaces. */
  readonly domain: string;
  /** The writer's epoch of ownership. */
  readonly epoch: number;
  /** The number of the first record. */
  readonly firstSeq: number;
  /** How many records `body` holds, 1 to 65,535. */
  readonly count: number;
  /** The encoded records one after the other, 1 byte to 16 MiB. */
  readonly body: Uint8Array;
}

/** Batches that follow each other, with their bodies as one. They may have several epochs. */
export interface JoinedBatches {
  /** The number of the first record. */
  readonly firstSeq: number;
  /** How many records `body` holds, 1 or more. */
  readonly count: number;
  /** The encoded records one after the other. */
  readonly body: Uint8Array;
}

/** Where the log of a domain stands. */
export interface DomainHead {
  readonly domain: string;
  /** The newest epoch that was accepted; 0 before the first batch. */
  readonly epoch: number;
  /** The number of the oldest record still there; equal to `nextSeq` when there is none. */
  readonly firstSeq: number;
  /** The number the next batch must start with. */
  readonly nextSeq: number;
  /** Bytes of all bodies still there. */
  readonly bytes: number;
}

/** A sealed run of a domain's records, under one epoch. Its bytes are those of docs/spec/journal.md. */
export interface SegmentInfo {
  readonly domain: string;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Size of the whole segment. */
  readonly bytes: number;
  /** SHA-256 of the whole segment, hexadecimal. */
  readonly hash: string;
}

/** The logs of many domains on one store. */
export interface Journal {
  /**
   * Append a batch; resolves when it is durable (J1-J3). Batches are accepted in the order of the calls, also without awaiting.
   * @throws `store.journal-gap`, `store.stale-epoch`, `store.full`, `store.too-many-domains`, `abi.malformed`.
   */
  append(batch: JournalBatch): Promise<void>;
  /**
   * Durable batches in order, from the one that holds record `fromSeq` (which may start before it).
   * @throws `store.journal-truncated` when `fromSeq` is gone already.
   */
  read(domain: string, fromSeq: number): AsyncIterable<JournalBatch>;
  /**
   * As {@link read}, with what was read in one step joined: for whoever reads all of a long log. A journal that has nothing quicker than `read`
   * leaves it out.
   */
  readJoined?(domain: string, fromSeq: number): AsyncIterable<JoinedBatches>;
  /** Where a domain stands, or `undefined` when nothing was ever appended to it. */
  head(domain: string): Promise<DomainHead | undefined>;
  /** Domains with a name after `after` in code-unit order, at most `limit` (1 to 10,000). */
  domains(after: string, limit: number): Promise<readonly DomainHead[]>;
  /** Close the open segment of a domain, so that it can be shipped. `undefined` when no record is open. @throws `store.domain-unknown`. */
  seal(domain: string): Promise<SegmentInfo | undefined>;
  /** The sealed segments still there, oldest first. @throws `store.domain-unknown`. */
  segments(domain: string): Promise<readonly SegmentInfo[]>;
  /** The bytes of the sealed segment that starts with `firstSeq`. @throws `store.domain-unknown`, `store.segment-unknown`. */
  readSegment(domain: string, firstSeq: number): Promise<Uint8Array>;
  /** Take over a sealed segment of a moved domain (J4). @throws `store.segment-refused`, `store.stale-epoch`, `store.full`. */
  acceptSegment(segment: Uint8Array): Promise<SegmentInfo>;
  /** Remove sealed segments whose records are all before `beforeSeq` (J5). Returns the number of the oldest record left. */
  truncate(domain: string, beforeSeq: number): Promise<number>;
  /** Forget a domain whole. Idempotent. */
  remove(domain: string): Promise<void>;
  /** Answer what was asked before, then release files and connections. Idempotent. */
  close(): Promise<void>;
}
