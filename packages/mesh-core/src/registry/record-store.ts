/**
 * The records one node keeps for others (docs/spec/registry.md).
 *
 * RS1. Staleness and expiry are judged before a signature is verified; what is refused is counted by its reason.
 * RS2. At most `max` records, and at most `perSpeaker` of one speaker: a member cannot fill the stores of others.
 * RS3. A record is gone when its time is over, whether or not anybody asks.
 * RS4. Two agents with one name: the one that was stored first keeps the name here until its record ends.
 */
import type { NodeId } from "@glia-os/abi/ids";
import type { Clock, Digests } from "@glia-os/abi/ports";
import { RecordRefusedError, RecordStoreFullError } from "../overlay-errors.ts";
import {
  type AgentRecord,
  type AgentRecords,
  agentKey,
  compareRecords,
  nameKey,
  remainingMs,
} from "./agent-record.ts";

/** Records one node keeps. */
export const RECORDS_MAX = 10_000;
/** Records of one speaker that one node keeps. */
export const RECORDS_PER_SPEAKER_MAX = 4096;

/** Why records were refused, counted. */
export interface Refusals {
  readonly forged: number;
  readonly expired: number;
  readonly stale: number;
  readonly full: number;
}

interface Entry {
  readonly record: AgentRecord;
  readonly speaker: NodeId;
  readonly bytes: Uint8Array;
  readonly untilMs: number;
  readonly nameKey: string | undefined;
}

/** What a put came to. */
export interface Stored {
  /** Whether the record is kept now. */
  readonly stored: boolean;
  /** The record that holds instead, when it is newer. */
  readonly newer: Uint8Array | undefined;
}

/** Settings of a store. */
export interface RecordStoreOptions {
  readonly clock: Clock;
  readonly digests: Digests;
  readonly records: AgentRecords;
  readonly max?: number;
  readonly perSpeaker?: number;
}

/** The store. */
export class RecordStore {
  readonly #o: RecordStoreOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #names = new Map<string, string>();
  readonly #speakers = new Map<NodeId, number>();
  readonly #refused = { forged: 0, expired: 0, stale: 0, full: 0 };

  constructor(options: RecordStoreOptions) {
    this.#o = options;
  }

  /** Records kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** What was refused so far. */
  refusals(): Refusals {
    return { ...this.#refused };
  }

  /** The bytes stored under a key of an agent or a name. */
  get(key: string): Uint8Array | undefined {
    const entry = this.#entries.get(this.#names.get(key) ?? key);
    return entry !== undefined && entry.untilMs > this.#o.clock.monotonicMs() ? entry.bytes : undefined;
  }

  /** Take a record in. @throws {RecordRefusedError}, {RecordStoreFullError}, and what reading throws. */
  put(bytes: Uint8Array): Stored {
    const heard = this.#counted("forged", () => this.#o.records.read(bytes));
    const { record, speaker } = heard;
    const { clock, digests } = this.#o;
    const leftMs = this.#counted("expired", () => remainingMs(record, clock.wallMs()));
    if (leftMs <= 0) {
      this.#refused.expired++;
      throw new RecordRefusedError("it has expired");
    }
    const key = agentKey(digests, record.agent);
    const known = this.#current(key);
    if (known !== undefined) {
      const order = compareRecords(record, known.record);
      if (order < 0 || (order === 0 && !sameRecord(record, known.record))) {
        this.#refused.stale++;
        return { stored: false, newer: known.bytes };
      }
      if (order === 0) return { stored: true, newer: undefined };
    }
    this.#room(speaker, known);
    this.#counted("forged", () => heard.verify());
    const named = record.name === "" ? undefined : nameKey(digests, record.name);
    this.#drop(key);
    const kept = Uint8Array.from(bytes);
    this.#entries.set(key, {
      record,
      speaker,
      bytes: kept,
      untilMs: clock.monotonicMs() + leftMs,
      nameKey: named,
    });
    this.#speakers.set(speaker, (this.#speakers.get(speaker) ?? 0) + 1);
    if (named !== undefined && this.#current(this.#names.get(named) ?? "") === undefined)
      this.#names.set(named, key);
    return { stored: true, newer: undefined };
  }

  /** Forget what is over (RS3). O(records). */
  sweep(): void {
    const nowMs = this.#o.clock.monotonicMs();
    for (const [key, { untilMs }] of this.#entries) if (untilMs <= nowMs) this.#drop(key);
  }

  #current(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && entry.untilMs > this.#o.clock.monotonicMs() ? entry : undefined;
  }

  #room(speaker: NodeId, replaced: Entry | undefined): void {
    const { max = RECORDS_MAX, perSpeaker = RECORDS_PER_SPEAKER_MAX } = this.#o;
    const own = (this.#speakers.get(speaker) ?? 0) - (replaced?.speaker === speaker ? 1 : 0);
    if (this.#entries.size >= max) this.sweep();
    const full = this.#entries.size - (replaced === undefined ? 0 : 1) >= max;
    if (!full && own < perSpeaker) return;
    this.#refused.full++;
    throw full
      ? new RecordStoreFullError("this node", max)
      : new RecordStoreFullError("one speaker's share", perSpeaker);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    if (entry.nameKey !== undefined && this.#names.get(entry.nameKey) === key)
      this.#names.delete(entry.nameKey);
    const left = (this.#speakers.get(entry.speaker) ?? 1) - 1;
    if (left > 0) this.#speakers.set(entry.speaker, left);
    else this.#speakers.delete(entry.speaker);
  }

  #counted<Result>(reason: keyof Refusals, step: () => Result): Result {
    try {
      return step();
    } catch (error) {
      this.#refused[reason]++;
      throw error;
    }
  }
}

function sameRecord(a: AgentRecord, b: AgentRecord): boolean {
  return a.owner === b.owner && a.issuedMs === b.issuedMs && a.status === b.status && a.name === b.name;
}
