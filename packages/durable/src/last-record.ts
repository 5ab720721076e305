/** The end of a journal. */
import type { DomainHead, Journal } from "@glia-os/abi/ports";
import { decodeRow } from "./record.ts";
import type { RecordRow } from "./record-reader.ts";

/** The last record of a domain; undefined when none is left. O(its last batch). */
export async function lastRecord(
  journal: Pick<Journal, "read">,
  { domain, firstSeq, nextSeq }: DomainHead,
): Promise<RecordRow | undefined> {
  if (nextSeq === firstSeq) return undefined;
  let last: RecordRow | undefined;
  for await (const { body } of journal.read(domain, nextSeq - 1))
    for (let at = 0; at < body.length; at = last.end) last = decodeRow(body, at);
  return last;
}
