/**
 * Removes large values that no journal names any more (docs/spec/blobs.md, "Collecting garbage").
 *
 * CV1. A blob is removed only if no record names it that was durable after the listing, and under the stamp of the listing: one that is put
 *      again meanwhile stays.
 */
import type { BlobInfo, Blobs, Journal } from "@glia-os/abi/ports";
import { partsOf } from "./kept-value.ts";
import { referencesOf } from "./large-values.ts";

const LISTED_AT_ONCE = 1_000;

/** Remove what no record names. `settled` resolves when who put a blob before has recorded its reference. Returns how many were removed. */
export async function collectValues(
  journal: Journal,
  blobs: Blobs,
  settled: () => Promise<void>,
): Promise<number> {
  const listed = await listOf(blobs);
  await settled();
  for await (const body of bodiesOf(journal))
    for (const hashes of referencesOf(body)) for (const part of partsOf(hashes)) listed.delete(part);
  let removed = 0;
  for (const { hash, stamp } of listed.values()) if (await blobs.delete(hash, stamp)) removed += 1;
  return removed;
}

async function listOf(blobs: Blobs): Promise<Map<string, BlobInfo>> {
  const found = new Map<string, BlobInfo>();
  for (let after = ""; ; ) {
    const some = await blobs.list(after, LISTED_AT_ONCE);
    for (const info of some) found.set(info.hash, info);
    const last = some.at(-1);
    if (last === undefined) return found;
    after = last.hash;
  }
}

async function* bodiesOf(journal: Journal): AsyncGenerator<Uint8Array, void> {
  for (let after = ""; ; ) {
    const heads = await journal.domains(after, LISTED_AT_ONCE);
    for (const { domain, firstSeq } of heads)
      for await (const { body } of journal.read(domain, firstSeq)) yield body;
    const last = heads.at(-1);
    if (last === undefined) return;
    after = last.domain;
  }
}
