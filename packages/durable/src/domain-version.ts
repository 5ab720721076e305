/** Which version of its program a domain is of, as its journal says. */
import { liveRecords, type ReadableJournal } from "./logged-record.ts";
import { decodeRecord, KIND } from "./record.ts";

const BEGINNINGS: readonly number[] = [KIND.spawn, KIND.checkpoint, KIND.restart, KIND.upgraded];

/** The version that it began with, or began anew with last; undefined for one that has none, or no records. O(records). */
export async function domainVersion(journal: ReadableJournal, domain: string): Promise<string | undefined> {
  let version: string | undefined;
  for await (const { bytes, row } of liveRecords(journal, domain)) {
    if (!BEGINNINGS.includes(row.kind)) continue;
    const { record } = decodeRecord(bytes);
    if (record.kind === KIND.spawn) version = record.beginning.version;
    else if (record.kind === KIND.checkpoint || record.kind === KIND.upgraded)
      version = record.renewal.beginning.version;
    else if (record.kind === KIND.restart && record.facts.renewal !== undefined)
      version = record.facts.renewal.beginning.version;
  }
  return version;
}
