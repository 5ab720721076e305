/**
 * Replaying what counts of a journal: rollbacks are found, and what they discarded is skipped.
 *
 * LR1. A journal without rollbacks is read once. One with rollbacks is found by its first replay failing, and is then replayed without
 *      what was discarded.
 */
import {
  type Discarded,
  discardedOf,
  isDiscarded,
  type ReadableJournal,
  recordsIn,
} from "./logged-record.ts";
import type { Replay } from "./replay.ts";

/** Called with every body before its records are fed, such as to load its large values. */
export type BeforeBody = (body: Uint8Array) => Promise<void> | undefined;

/** How far a replay goes. */
export interface LiveReplayOptions {
  readonly before?: BeforeBody;
  /** Feed records below this number only. */
  readonly until?: number;
}

/**
 * Replay a domain without any effect. `make` is called once, and once more when there are rollbacks (LR1).
 * @throws what `Replay.feed` throws
 */
export async function replayLive(
  journal: ReadableJournal,
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
  journal: ReadableJournal,
  domain: string,
  replay: Replay,
  discarded: readonly Discarded[],
  { before, until = Number.POSITIVE_INFINITY }: LiveReplayOptions,
): Promise<Replay> {
  const from = (await journal.head(domain))?.firstSeq ?? 1;
  for await (const { body, firstSeq, count } of journal.read(domain, from)) {
    if (firstSeq >= until) break;
    const loaded = before?.(body);
    if (loaded !== undefined) await loaded;
    if (discarded.length === 0 && firstSeq + count <= until) replay.feed(body, firstSeq, count);
    else feedSome(replay, body, (seq) => seq < until && !isDiscarded(discarded, seq));
  }
  const last = discarded.at(-1)?.at ?? 0;
  if (last >= replay.nextSeq && last < until) replay.skipTo(last);
  return replay;
}

function feedSome(replay: Replay, body: Uint8Array, wanted: (seq: number) => boolean): void {
  for (const { seq, bytes } of recordsIn(body)) {
    if (!wanted(seq)) continue;
    if (seq > replay.nextSeq) replay.skipTo(seq - 1);
    replay.feed(bytes, seq, 1);
  }
}
