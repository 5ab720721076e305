/** Reads the domains that a group of requests is about, under the lock of its transaction. */

import { BATCH_HEAD, SEGMENT_HEAD } from "../../journal/domain-log.ts";
import type { DomainTable } from "../../journal/domain-table.ts";
import { DOMAIN_LENGTH, type JournalLimits } from "../../journal/limits.ts";
import type { JournalRequest } from "../../journal/request.ts";
import { decodeSegment } from "../../journal/segment.ts";
import type { Ask, Row } from "../connection.ts";
import { type JournalTotals, SliceLog, tableOf } from "./journal-slice.ts";
import type { JournalSql } from "./journal-sql.ts";

/** What a slice is read for. */
export interface SliceSetting {
  readonly requests: readonly JournalRequest[];
  readonly limits: JournalLimits;
  readonly place: string;
}

/** The tables and the log for the rules. */
export interface Slice {
  readonly table: DomainTable;
  readonly log: SliceLog;
}

/** How much of a domain is read. */
interface Need {
  /** Every segment and the numbers of every batch; else the last segment and the batches after it. */
  whole: boolean;
  /** Bytes of a segment that the group appends. */
  bytes: number;
  /** The newest epoch the group appends under. */
  epoch: number;
  /** The open segment is sealed for certain. */
  seals: boolean;
  /** Segments whose bytes are asked for, by their first records. */
  readonly segments: Set<number>;
}

/** Lock the totals and read. @throws `store.corrupt`. */
export async function loadSlice(ask: Ask, sql: JournalSql, setting: SliceSetting): Promise<Slice> {
  const needs = needsOf(setting.requests);
  const [totals] = (await ask(sql.lock)) as unknown as readonly JournalTotals[];
  const log = new SliceLog(setting.place, Number(totals?.next_place));
  const domains = await ask(sql.domains, [[...needs.keys()]]);
  const [whole, open] = [domains.filter(isWhole), domains.filter((row) => !isWhole(row))];
  const segments = [
    ...(await segmentsOf(ask, sql.segments, whole)),
    ...(await segmentsOf(ask, sql.lastSegments, open)),
  ];
  const batches = await batchesOf(
    ask,
    sql,
    domains,
    new Map(open.map((row) => [row["number"], openSeq(row, segments)])),
  );
  const table = tableOf({ domains, segments, batches }, totals as JournalTotals, setting.place);
  const places = bodiesNeeded(table, needs, setting.limits);
  if (places.length > 0) log.keep(await ask(sql.bodies, [places]));
  return { table, log };

  function isWhole(row: Row): boolean {
    return needs.get(String(row["name"]))?.whole === true;
  }
}

function needsOf(requests: readonly JournalRequest[]): ReadonlyMap<string, Need> {
  const needs = new Map<string, Need>();
  for (const request of requests) {
    const domain = domainOf(request);
    if (domain === undefined) continue;
    const need = needs.get(domain) ?? { whole: false, bytes: 0, epoch: 0, seals: false, segments: new Set() };
    needs.set(domain, need);
    add(need, request);
  }
  return needs;
}

/** The domain of a request; `undefined` for a segment that the rules will refuse. */
function domainOf(request: JournalRequest): string | undefined {
  if ("domain" in request) return request.domain;
  if (request.op !== "acceptSegment") return undefined;
  try {
    return decodeSegment(request.segment).domain;
  } catch {
    return undefined;
  }
}

function add(need: Need, request: JournalRequest): void {
  switch (request.op) {
    case "append":
      need.bytes += BATCH_HEAD + request.body.length;
      need.epoch = Math.max(need.epoch, request.epoch);
      return;
    case "seal":
      need.seals = true;
      return;
    case "readSegment":
      need.segments.add(request.firstSeq);
      need.whole = true;
      return;
    case "segments":
    case "truncate":
    case "remove":
      need.whole = true;
  }
}

async function segmentsOf(ask: Ask, text: string, domains: readonly Row[]): Promise<readonly Row[]> {
  return domains.length === 0 ? [] : ask(text, [domains.map((row) => row["number"])]);
}

/** Where the open segment of a domain starts. */
function openSeq(domain: Row, segments: readonly Row[]): number {
  const last = segments.find((segment) => segment["domain"] === domain["number"]);
  return last === undefined ? Number(domain["first_seq"]) : Number(last["last_seq"]) + 1;
}

async function batchesOf(
  ask: Ask,
  sql: JournalSql,
  domains: readonly Row[],
  open: ReadonlyMap<unknown, number>,
): Promise<readonly Row[]> {
  if (domains.length === 0) return [];
  const numbers = domains.map((row) => row["number"]);
  return ask(sql.numbers, [numbers, domains.map((row) => open.get(row["number"]) ?? row["first_seq"])]);
}

/** Bodies of open segments that the group may seal, and of segments it asks for. */
function bodiesNeeded(
  table: DomainTable,
  needs: ReadonlyMap<string, Need>,
  limits: JournalLimits,
): readonly number[] {
  return [...table.byName.values()].flatMap((log) => {
    const need = needs.get(log.name);
    if (need === undefined) return [];
    const full = log.openBytes + SEGMENT_HEAD + DOMAIN_LENGTH + need.bytes >= limits.segmentBytes;
    const grows = need.bytes > 0 && (need.epoch > log.epoch || full);
    const open = need.seals || grows ? log.between(log.openSeq, log.nextSeq) : [];
    const asked = log.sealed.filter(({ firstSeq }) => need.segments.has(firstSeq));
    const sealed = asked.flatMap(({ firstSeq, lastSeq }) => log.between(firstSeq, lastSeq));
    return [...open, ...sealed].map(({ place }) => place);
  });
}
