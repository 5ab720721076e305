/** Which code a domain is of, as its journal says. */
import { liveRecords, type ReadableJournal } from "./logged-record.ts";
import { decodeRecord, KIND } from "./record.ts";

const RENEWALS: readonly number[] = [KIND.checkpoint, KIND.restart, KIND.upgraded];

/** The edition of the code that it was given last ({@link NewCode}); undefined for one that has the code it began with, or no records. O(records). */
export async function domainEdition(journal: ReadableJournal, domain: string): Promise<string | undefined> {
  let edition: string | undefined;
  for await (const { bytes, row } of liveRecords(journal, domain)) {
    if (!RENEWALS.includes(row.kind)) continue;
    const { record } = decodeRecord(bytes);
    if (record.kind === KIND.checkpoint || record.kind === KIND.upgraded)
      edition = record.renewal.beginning.edition;
    else if (record.kind === KIND.restart && record.facts.renewal !== undefined)
      edition = record.facts.renewal.beginning.edition;
  }
  return edition;
}
