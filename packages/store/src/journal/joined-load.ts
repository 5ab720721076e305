/**
 * Joined reads of many domains, as a recovery asks for them, and their replies, in forms that cross threads faster: one object instead of one
 * per domain.
 */
import type { JoinedBatches } from "@glia-os/abi/ports";
import type { JournalReply, JournalRequest } from "./request.ts";

/** Joined reads: names, and of each its first number and how many bytes it asks for. */
interface PackedReads {
  readonly reads: readonly string[];
  readonly numbers: Float64Array<ArrayBuffer>;
}

/** Replies: of each its first number, records and bytes; and all bodies one after the other. */
export interface PackedJoined {
  readonly joined: Float64Array<ArrayBuffer>;
  readonly bodies: Uint8Array<ArrayBuffer>;
}

type JoinedRead = JournalRequest & { readonly op: "read" };

const READ_NUMBERS = 2;
const REPLY_NUMBERS = 3;
/** Replies with more bytes are handed over one by one, without a copy. */
const COPIED_BYTES = 1_048_576;

/** Joined reads packed; undefined for requests that are not all of these. */
export function packReads(requests: readonly JournalRequest[]): PackedReads | undefined {
  if (!requests.every(isJoinedRead)) return undefined;
  const numbers = new Float64Array(READ_NUMBERS * requests.length);
  requests.forEach(({ fromSeq, most }, i) => {
    numbers[READ_NUMBERS * i] = fromSeq;
    numbers[READ_NUMBERS * i + 1] = most;
  });
  return { reads: requests.map(({ domain }) => domain), numbers };
}

/** Undoes {@link packReads}; undefined for something else. */
export function unpackReads(packed: unknown): readonly JournalRequest[] | undefined {
  if (!(packed instanceof Object) || !("reads" in packed)) return undefined;
  const { reads, numbers } = packed as PackedReads;
  return reads.map((domain, i) => {
    const [fromSeq, most] = [numbers[READ_NUMBERS * i] as number, numbers[READ_NUMBERS * i + 1] as number];
    return { op: "read", domain, fromSeq, most, joined: true };
  });
}

/** Replies of joined reads packed; undefined when there is one only, another reply, or much. */
export function packJoined(replies: readonly JournalReply[]): PackedJoined | undefined {
  if (replies.length < 2 || !replies.every(isJoined)) return undefined;
  const bytes = replies.reduce((sum, { body }) => sum + body.length, 0);
  if (bytes > COPIED_BYTES) return undefined;
  const joined = new Float64Array(REPLY_NUMBERS * replies.length);
  const bodies = new Uint8Array(bytes);
  let [at, end] = [0, 0];
  for (const { firstSeq, count, body } of replies) {
    joined.set([firstSeq, count, body.length], at);
    bodies.set(body, end);
    at += REPLY_NUMBERS;
    end += body.length;
  }
  return { joined, bodies };
}

/** Undoes {@link packJoined}. */
export function unpackJoined({ joined, bodies }: PackedJoined): readonly JoinedBatches[] {
  const replies: JoinedBatches[] = [];
  let end = 0;
  for (let at = 0; at < joined.length; at += REPLY_NUMBERS) {
    const [firstSeq, count] = [joined[at] as number, joined[at + 1] as number];
    const length = joined[at + 2] as number;
    replies.push({ firstSeq, count, body: bodies.subarray(end, end + length) });
    end += length;
  }
  return replies;
}

/** Whether a reply is that of a joined read. */
export function isJoined(reply: JournalReply): reply is JoinedBatches {
  return typeof reply === "object" && "body" in reply;
}

function isJoinedRead(request: JournalRequest): request is JoinedRead {
  return request.op === "read" && request.joined === true;
}
