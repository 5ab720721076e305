/**
 * Where two domains part: their records side by side.
 *
 * DF1. Compared is what came in and what was asked: inputs, messages, calls with the hash of their arguments, outcomes, ends. The time and
 *      the seed of the randomness differ between any two runs and are not compared.
 */
import { encode, rfc8949EncodeOptions } from "cborg";
import type { AskedCall } from "./domain-run.ts";
import { replayLive } from "./live-replay.ts";
import { type LoggedRecord, liveRecords, type ReadableJournal, renumbered } from "./logged-record.ts";
import { decodeRecord, KIND, type TaskPath } from "./record.ts";
import { Replay, type ReplayOptions } from "./replay.ts";

/** Two records that stand at the same place; the one of a domain that ends before is missing. */
export interface RecordPair {
  readonly a?: LoggedRecord;
  readonly b?: LoggedRecord;
}

/** What two domains have in common, and where they part. */
export interface DomainDifference {
  /** Compared records that are the same. */
  readonly same: number;
  /** The first two records that differ; undefined when all are the same. */
  readonly first?: RecordPair;
  /** The first two calls that differ, whatever they came to. */
  readonly call?: RecordPair;
}

/** A domain and the journal it is in. */
export interface DomainOf {
  readonly journal: ReadableJournal;
  readonly domain: string;
}

/** Compare two domains. O(records). */
export async function diffDomains(a: DomainOf, b: DomainOf): Promise<DomainDifference> {
  const first = await firstPair(a, b, comparable, sameRecord);
  const call = await firstPair(a, b, ({ row }) => row.kind === KIND.resume, sameCall);
  return {
    same: first.same,
    ...(first.pair === undefined ? {} : { first: first.pair }),
    ...(call.pair === undefined ? {} : { call: call.pair }),
  };
}

async function firstPair(
  a: DomainOf,
  b: DomainOf,
  wanted: (logged: LoggedRecord) => boolean,
  equal: (a: LoggedRecord, b: LoggedRecord) => boolean,
): Promise<{ readonly same: number; readonly pair?: RecordPair }> {
  const [left, right] = [chosen(a, wanted), chosen(b, wanted)];
  try {
    for (let same = 0; ; same++) {
      const [x, y] = [(await left.next()).value, (await right.next()).value];
      if (x === undefined && y === undefined) return { same };
      if (x !== undefined && y !== undefined && equal(x, y)) continue;
      return { same, pair: { ...(x && { a: x }), ...(y && { b: y }) } };
    }
  } finally {
    await Promise.all([left.return(), right.return()]);
  }
}

async function* chosen(
  { journal, domain }: DomainOf,
  wanted: (logged: LoggedRecord) => boolean,
): AsyncGenerator<LoggedRecord, void> {
  for await (const logged of liveRecords(journal, domain)) if (wanted(logged)) yield logged;
}

function comparable({ row: { kind } }: LoggedRecord): boolean {
  return kind !== KIND.time && kind !== KIND.restart;
}

function sameRecord(a: LoggedRecord, b: LoggedRecord): boolean {
  if (a.row.kind !== KIND.spawn || b.row.kind !== KIND.spawn)
    return equalBytes(renumbered(a, 1), renumbered(b, 1));
  return equalBytes(beginningOf(a), beginningOf(b));
}

/** A beginning without its seed (DF1). */
function beginningOf({ bytes }: LoggedRecord): Uint8Array {
  const { record } = decodeRecord(bytes);
  if (record.kind !== KIND.spawn) return bytes;
  return encode(
    { ...record.beginning, seed: null },
    { ...rfc8949EncodeOptions, ignoreUndefinedProperties: true },
  );
}

function sameCall({ row: a }: LoggedRecord, { row: b }: LoggedRecord): boolean {
  return a.op === b.op && a.path.join("/") === b.path.join("/") && equalHashes(a, b);
}

function equalHashes(a: LoggedRecord["row"], b: LoggedRecord["row"]): boolean {
  if (a.hashIn === null || b.hashIn === null) return a.hashIn === b.hashIn;
  return equalBytes(
    a.hashIn.subarray(a.hashAt, a.hashAt + HASH_BYTES),
    b.hashIn.subarray(b.hashAt, b.hashAt + HASH_BYTES),
  );
}

const HASH_BYTES = 32;

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** The call that a task waits for when all records below a number were fed, with its request and its place in the source. */
export async function callBefore(
  { journal, domain }: DomainOf,
  seq: number,
  path: TaskPath,
  options: Omit<ReplayOptions, "domain" | "keepPositions">,
): Promise<AskedCall | undefined> {
  const make = (): Replay => new Replay({ ...options, domain, keepPositions: true });
  const replay = await replayLive(journal, domain, make, { until: seq });
  return replay.nextSeq > 2 ? replay.run.callAt(path) : undefined;
}
