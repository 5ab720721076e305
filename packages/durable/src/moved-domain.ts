/**
 * The journal of a domain that goes from one store to another: its sealed segments, as blobs by hash, and the large values they name.
 *
 * MV1. A domain that was given away has a record that says so, under a higher epoch: its old owner is refused at its next record.
 * MV2. What was taken over already is passed over, so a transfer that was cut off is repeated whole.
 * MV3. The values that a segment names are there before the segment.
 */
import { MalformedError } from "@glia-os/abi/errors";
import type { Blobs, Journal, SegmentInfo } from "@glia-os/abi/ports";
import { DomainUnknownError, ValueMissingError } from "./errors.ts";
import { partsOf } from "./kept-value.ts";
import { referencesOf } from "./large-values.ts";
import { lastRecord } from "./last-record.ts";
import { encodeRecord, KIND } from "./record.ts";

const NAME_LIMIT = 128;

/** Record that a domain was given away, and close its last segment (MV1). Returns its segments. @throws {DomainUnknownError} `abi.malformed` */
export async function releaseDomain(
  journal: Journal,
  domain: string,
  to: string,
): Promise<readonly SegmentInfo[]> {
  const head = await journal.head(domain);
  if (head === undefined) throw new DomainUnknownError(domain);
  if (to === "" || to.length > NAME_LIMIT)
    throw new MalformedError("to", `it does not have 1 to ${NAME_LIMIT} characters`);
  const { nextSeq: firstSeq, epoch } = head;
  if ((await lastRecord(journal, head))?.kind !== KIND.moved) {
    const body = encodeRecord(firstSeq, { kind: KIND.moved, to });
    await journal.append({ domain, epoch: epoch + 1, firstSeq, count: 1, body });
  }
  await journal.seal(domain);
  return await journal.segments(domain);
}

/** Where the segments of a domain are read; the reader decides how they come here. */
export type SegmentSource = Pick<Journal, "segments" | "readSegment">;

/** How a domain is carried. */
export interface CarryOptions {
  readonly domain: string;
  readonly from: SegmentSource;
  readonly to: Journal;
  /** Where its large values are read and kept. */
  readonly blobs?: { readonly from: Pick<Blobs, "get">; readonly to: Blobs };
}

/**
 * Take over the segments of a domain that was released. Returns how many bytes of segments came. Repeat it when it fails (MV2).
 * @throws {ValueMissingError}, and what the journals refuse
 */
export async function carryDomain({ domain, from, to, blobs }: CarryOptions): Promise<number> {
  let bytes = 0;
  for (const { firstSeq, lastSeq } of await from.segments(domain)) {
    if (((await to.head(domain))?.nextSeq ?? 0) > lastSeq) continue;
    const segment = await from.readSegment(domain, firstSeq);
    if (blobs !== undefined) await carryValues(domain, segment, blobs);
    await to.acceptSegment(segment);
    bytes += segment.length;
  }
  return bytes;
}

async function carryValues(
  domain: string,
  segment: Uint8Array,
  { from, to }: NonNullable<CarryOptions["blobs"]>,
): Promise<void> {
  for (const hashes of referencesOf(segment))
    for (const hash of partsOf(hashes)) {
      const blob = await from.get(hash);
      // What only looks like a reference names nothing; a reference that names nothing is found by the replay.
      if (blob !== undefined && (await to.put(blob)) !== hash)
        throw new ValueMissingError(domain, hash, "its bytes are others");
    }
}
