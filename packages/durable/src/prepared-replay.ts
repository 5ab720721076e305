/** A journal that was replayed before its domain goes on, so that little is left to do then. */
import type { DomainHead, Journal } from "@glia-os/abi/ports";
import { type LargeValues, namesValues } from "./large-values.ts";
import { type BeforeBody, replayLive } from "./live-replay.ts";
import type { Replay } from "./replay.ts";

/** A journal replayed, and where its large values are. */
export interface PreparedReplay {
  readonly replay: Replay;
  readonly values: LargeValues | undefined;
}

/** Feed what came into the journal since, if its head says that something did. @throws what `Replay.feed` throws */
export async function feedRest(
  journal: Journal,
  prepared: PreparedReplay,
  { domain, nextSeq }: DomainHead,
): Promise<void> {
  if (prepared.replay.nextSeq < nextSeq) await feedOn(journal, domain, prepared);
}

/** Feed what came into the journal since. @throws what `Replay.feed` throws */
export async function feedOn(
  journal: Journal,
  domain: string,
  { replay, values }: PreparedReplay,
): Promise<void> {
  const { nextSeq: firstSeq } = replay;
  await replayLive(journal, domain, () => replay, {
    before: loadBefore(values),
    firstSeq,
    goesOn: true,
  });
}

/** What loads the large values of a body before it is fed. */
export function loadBefore(values: LargeValues | undefined): BeforeBody {
  return (body) => (values !== undefined && namesValues(body) ? values.load(body) : undefined);
}
