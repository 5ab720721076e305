/**
 * What requests of a journal weigh in a worker's queue, and how batches cross threads. Bodies stay the caller's until `append` settles,
 * so they are copied: those of one turn into one buffer, which costs a third of cloning each request. (A clone of a view would copy all of
 * the buffer behind it.)
 */
import type { JournalBatch } from "@glia-os/abi/ports";
import type { Packing } from "../serve.ts";
import type { Load } from "../worker-link.ts";
import { readAppends, writeAppends } from "./append-frames.ts";
import {
  isJoined,
  type PackedJoined,
  packJoined,
  packReads,
  unpackJoined,
  unpackReads,
} from "./joined-load.ts";
import type { JournalReply, JournalRequest } from "./request.ts";

/** Some batches: names, four numbers of each (epoch, firstSeq, count, length of the body), and all bodies one after the other. */
interface PackedBatches {
  readonly domains: readonly string[];
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly bodies: Uint8Array<ArrayBuffer>;
}

/** Some requests: their appends as batches, and the rest. */
interface PackedRequests extends PackedBatches {
  /** Requests of another kind in their places, null standing for an append; null when there are none. */
  readonly others: readonly (JournalRequest | null)[] | null;
}

const NUMBERS = 4;
/** A buffer with less is copied faster than it is handed over. */
const GIVEN_BYTES = 16_384;

/** The body of an append and the segment that is taken over. */
export const JOURNAL_LOAD: Load<JournalRequest> = {
  bytesOf(request) {
    if (request.op === "append") return request.body;
    return request.op === "acceptSegment" ? request.segment : undefined;
  },
  given: false,
  pack(requests) {
    const reads = packReads(requests);
    if (reads !== undefined) return { packed: reads, given: [reads.numbers.buffer] };
    const appends = requests.filter(isAppend);
    if (appends.length === 0) return undefined;
    const all = appends.length === requests.length;
    const others = all ? null : requests.map((request) => (isAppend(request) ? null : request));
    const packed: PackedRequests = { ...packBatches(appends), others };
    return { packed, given: [packed.numbers.buffer, packed.bodies.buffer] };
  },
  write: writeAppends,
  unpackReplies: (packed) => unpackJoined(packed as PackedJoined),
  unpackReply(reply) {
    return reply instanceof Object && "bodies" in reply ? batchesOf(reply as PackedBatches) : reply;
  },
};

/** The worker's side. */
export const JOURNAL_PACKING: Packing<JournalRequest, JournalReply> = {
  unpack: unpackRequests,
  read: readAppends,
  packReplies(replies, given) {
    const packed = packJoined(replies);
    if (packed !== undefined) given.push(packed.joined.buffer, packed.bodies.buffer);
    return packed;
  },
  packReply(reply, given) {
    if (isJoined(reply)) {
      const { length, buffer } = reply.body;
      if (length >= GIVEN_BYTES && length === buffer.byteLength) given.push(buffer as ArrayBuffer);
      return reply;
    }
    const [first] = Array.isArray(reply) ? (reply as readonly object[]) : [];
    if (first === undefined || !("body" in first)) return reply;
    const packed = packBatches(reply as readonly JournalBatch[]);
    given.push(packed.numbers.buffer, packed.bodies.buffer);
    return packed;
  },
};

type Append = JournalRequest & { readonly op: "append" };

function isAppend(request: JournalRequest): request is Append {
  return request.op === "append";
}

function packBatches(batches: readonly JournalBatch[]): PackedBatches {
  const domains: string[] = [];
  const numbers = new Float64Array(NUMBERS * batches.length);
  const bodies = new Uint8Array(batches.reduce((sum, { body }) => sum + body.length, 0));
  let at = 0;
  let end = 0;
  for (const { domain, epoch, firstSeq, count, body } of batches) {
    domains.push(domain);
    numbers[at++] = epoch;
    numbers[at++] = firstSeq;
    numbers[at++] = count;
    numbers[at++] = body.length;
    bodies.set(body, end);
    end += body.length;
  }
  return { domains, numbers, bodies };
}

function unpackRequests(packed: unknown): readonly JournalRequest[] {
  const reads = unpackReads(packed);
  if (reads !== undefined) return reads;
  const { others, ...batches } = packed as PackedRequests;
  const appends = batchesOf(batches).map((batch): JournalRequest => ({ op: "append", ...batch }));
  if (others === null) return appends;
  let next = 0;
  return others.map((other) => other ?? (appends[next++] as JournalRequest));
}

/** Batches whose bodies share a buffer. */
function batchesOf({ domains, numbers, bodies }: PackedBatches): readonly JournalBatch[] {
  let start = 0;
  return domains.map((domain, i) => {
    const at = NUMBERS * i;
    const [epoch, firstSeq] = [numbers[at] as number, numbers[at + 1] as number];
    const [count, length] = [numbers[at + 2] as number, numbers[at + 3] as number];
    const body = bodies.subarray(start, start + length);
    start += length;
    return { domain, epoch, firstSeq, count, body };
  });
}
