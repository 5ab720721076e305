/**
 * Groups of journal requests, each in one transaction.
 *
 * G1. A group that changes something holds the row of totals from its start to its commit: such groups of all clients are performed
 *     one after the other, and an epoch or a number is judged on committed rows only.
 * G2. No answer leaves before the commit returned.
 */
import { isGliaError } from "@glia-os/abi/errors";
import type { DomainHead, JournalBatch } from "@glia-os/abi/ports";
import type { GroupPerformer } from "../../engine/group-queue.ts";
import { CorruptError } from "../../errors.ts";
import type { PlacedBatch } from "../../journal/domain-log.ts";
import { JournalTruncatedError } from "../../journal/errors.ts";
import type { JournalLimits } from "../../journal/limits.ts";
import type { JournalReply, JournalRequest } from "../../journal/request.ts";
import { JournalRules } from "../../journal/rules.ts";
import type { Answer } from "../../serve.ts";
import type { Ask, EngineConnection, Row } from "../connection.ts";
import { checkedBody, placedOf } from "./journal-slice.ts";
import type { JournalSql } from "./journal-sql.ts";
import { loadSlice } from "./load-slice.ts";
import { storeSlice } from "./store-slice.ts";

/** Bodies that one group may write: 16 MiB, or one batch that is larger with its head. */
const GROUP_BYTES = 16 * 2 ** 20;
/** Reads that share a transaction. */
const READS_MOST = 8;
/** Batches whose numbers one step of a read looks at. */
const READ_BATCHES = 1_024;

/** What the groups of one client share. */
export interface JournalSetting {
  readonly sql: JournalSql;
  readonly limits: JournalLimits;
  /** Names the store in messages. */
  readonly place: string;
}

type Reading = Extract<JournalRequest, { readonly op: "read" | "head" | "domains" }>;

/** Performs groups over one connection. */
export class JournalGroups implements GroupPerformer<JournalRequest, JournalReply> {
  readonly #connection: EngineConnection;
  readonly #setting: JournalSetting;

  constructor(connection: EngineConnection, setting: JournalSetting) {
    this.#connection = connection;
    this.#setting = setting;
  }

  groupOf(requests: readonly JournalRequest[]): number {
    const reads = requests[0] !== undefined && isReading(requests[0]);
    let bytes = 0;
    for (const [i, request] of requests.entries()) {
      if (request.op === "append") bytes += request.body.length;
      if (request.op === "acceptSegment") bytes += request.segment.length;
      const full = reads ? i >= READS_MOST : bytes > GROUP_BYTES;
      if (i > 0 && (full || isReading(request) !== reads)) return i;
    }
    return requests.length;
  }

  perform(requests: readonly JournalRequest[]): Promise<readonly Answer<JournalReply>[]> {
    if (requests.every(isReading))
      return this.#connection.transaction("read", (ask) => this.#readAll(ask, requests));
    return this.#connection.transaction("write", async (ask) => {
      const { sql, limits, place } = this.#setting;
      const { table, log } = await loadSlice(ask, sql, { requests, limits, place });
      const before = new Set(table.byNumber.keys());
      const rules = new JournalRules(log, limits, table);
      const answers = requests.map((request) => answered(() => rules.perform(request)));
      if (log.entries.length > 0) await storeSlice(ask, sql, { table, log, before });
      return answers;
    });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  async #readAll(ask: Ask, requests: readonly Reading[]): Promise<readonly Answer<JournalReply>[]> {
    const answers: Answer<JournalReply>[] = [];
    for (const request of requests) {
      try {
        answers.push({ reply: await this.#read(ask, request) });
      } catch (error) {
        if (!isGliaError(error)) throw error;
        answers.push({ refused: error.toRecord() });
      }
    }
    return answers;
  }

  async #read(ask: Ask, request: Reading): Promise<JournalReply> {
    const { sql } = this.#setting;
    if (request.op === "domains") return (await ask(sql.page, [request.after, request.limit])).map(headOf);
    const [row] = await ask(sql.domains, [[request.domain]]);
    if (request.op === "head") return row === undefined ? undefined : headOf(row);
    return row === undefined ? [] : this.#batches(ask, row, request.fromSeq, request.most);
  }

  async #batches(ask: Ask, row: Row, fromSeq: number, most: number): Promise<readonly JournalBatch[]> {
    const { sql, place } = this.#setting;
    const { domain, firstSeq, nextSeq } = headOf(row);
    if (fromSeq < firstSeq) throw new JournalTruncatedError(domain, fromSeq, firstSeq);
    const wanted: PlacedBatch[] = [];
    let bytes = 0;
    for (let next = fromSeq; next < nextSeq && bytes < most; ) {
      const found = (await ask(sql.from, [row["number"], next, READ_BATCHES])).map(placedOf);
      if (found.length === 0) throw missing(place, domain, next);
      for (const batch of found) {
        if (bytes >= most) break;
        const holds = batch.firstSeq <= next && batch.firstSeq + batch.count > next;
        if (!holds || (wanted.length > 0 && batch.firstSeq !== next)) throw missing(place, domain, next);
        wanted.push(batch);
        bytes += batch.length;
        next = batch.firstSeq + batch.count;
      }
    }
    const rows = await ask(sql.bodies, [wanted.map((batch) => batch.place)]);
    const bodies = new Map(rows.map((each) => [Number(each["place"]), checkedBody(each, place)]));
    return wanted.map(({ epoch, firstSeq: first, count, place: at }) => {
      return { domain, epoch, firstSeq: first, count, body: bodies.get(at) as Uint8Array };
    });
  }
}

function isReading(request: JournalRequest): request is Reading {
  return request.op === "read" || request.op === "head" || request.op === "domains";
}

function answered(perform: () => JournalReply): Answer<JournalReply> {
  try {
    return { reply: perform() };
  } catch (error) {
    if (isGliaError(error)) return { refused: error.toRecord() };
    throw error;
  }
}

function missing(place: string, domain: string, seq: number): CorruptError {
  return new CorruptError(place, `record ${seq} of ${domain} is missing`);
}

function headOf(row: Row): DomainHead {
  return {
    domain: String(row["name"]),
    epoch: Number(row["epoch"]),
    firstSeq: Number(row["first_seq"]),
    nextSeq: Number(row["next_seq"]),
    bytes: Number(row["bytes"]),
  };
}
