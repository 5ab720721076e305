/**
 * Replaying what counts of a journal: rollbacks are found, and what they discarded is skipped.
 *
 * LR1. A journal without rollbacks is read once. One with rollbacks is found by its first replay failing, and is then replayed without
 *      what was discarded.
 * LR2. What many batches hold is fed at once, unless values of it are kept as blobs: those are loaded record by record.
 * LR3. A journal whose last records are of a program that is not offered is refused, unless more of it is to come.
 */
import type { JoinedBatches, Journal } from "@glia-os/abi/ports";
import { namesValues } from "./large-values.ts";
import { type Discarded, discardedOf, isDiscarded, type ReadableJournal } from "./logged-record.ts";
import { decodeRow } from "./record.ts";
import type { Replay } from "./replay.ts";

/** A journal that may have a quicker way to read much. */
type LongJournal = ReadableJournal & Pick<Journal, "readJoined">;

/** Called with every body before its records are fed, such as to load its large values. */
export type BeforeBody = (body: Uint8Array) => Promise<void> | undefined;

/** How far a replay goes. */
export interface LiveReplayOptions {
  readonly before?: BeforeBody;
  /** Feed records below this number only. */
  readonly until?: number;
  /** The number of the oldest record of the journal, for who knows it. Default: it is asked for. */
  readonly firstSeq?: number;
  /** More of the journal is to come (LR3). Default false. */
  readonly goesOn?: boolean;
}

/**
 * Replay a domain without any effect. `make` is called once, and once more when there are rollbacks (LR1).
 * @throws what `Replay.feed` and `Replay.checkProgram` throw
 */
export async function replayLive(
  journal: LongJournal,
  domain: string,
  make: () => Replay,
  options: LiveReplayOptions = {},
): Promise<Replay> {
  try {
    return await feedAll(journal, domain, make(), [], options);
  } catch (error) {
    const discarded = await discardedOf(journal, domain).catch(() => []);
    if (discarded.length === 0) throw error;
    return await feedAll(journal, domain, make(), discarded, options);
  }
}

async function feedAll(
  journal: LongJournal,
  domain: string,
  replay: Replay,
  discarded: readonly Discarded[],
  { before, until = Number.POSITIVE_INFINITY, firstSeq: known, goesOn = false }: LiveReplayOptions,
): Promise<Replay> {
  const from = known ?? (await journal.head(domain))?.firstSeq ?? 1;
  const wanted = (seq: number): boolean => seq < until && !isDiscarded(discarded, seq);
  for await (const { body, firstSeq, count } of journal.readJoined?.(domain, from) ??
    journal.read(domain, from)) {
    if (firstSeq >= until) break;
    const whole = discarded.length === 0 && firstSeq + count <= until;
    if (whole && (before === undefined || !namesValues(body))) replay.feed(body, firstSeq, count);
    else await feedSome(replay, { body, firstSeq, count }, wanted, before);
  }
  const last = discarded.at(-1)?.at ?? 0;
  if (last >= replay.nextSeq && last < until) replay.skipTo(last);
  if (!goesOn) replay.checkProgram();
  return replay;
}

/** Feed records one by one: those that count, each after its large values were loaded, so that no more of them are held at once (LR2). */
async function feedSome(
  replay: Replay,
  { body, firstSeq, count }: JoinedBatches,
  wanted: (seq: number) => boolean,
  before: BeforeBody | undefined,
): Promise<void> {
  const endSeq = firstSeq + count;
  let [at, seq] = [0, firstSeq];
  while (seq < endSeq || at < body.length) {
    const end = seq + 1 < endSeq ? recordEnd(body, at) : body.length;
    const bytes = body.subarray(at, end);
    if (wanted(seq)) {
      if (seq > replay.nextSeq) replay.skipTo(seq - 1);
      const loaded = before?.(bytes);
      if (loaded !== undefined) await loaded;
      replay.feed(bytes, seq, 1);
    }
    [at, seq] = [end, seq + 1];
  }
}

/** Where a record ends; the end of the body for one that cannot be read, which the replay then says. */
function recordEnd(body: Uint8Array, at: number): number {
  try {
    return decodeRow(body, at).end;
  } catch {
    return body.length;
  }
}
