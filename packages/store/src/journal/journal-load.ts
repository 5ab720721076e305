/**
 * What requests of a journal weigh in a worker's queue, and how appends cross to the worker. Bodies stay the caller's until `append` settles,
 * so they are copied: those of one turn into one buffer, which costs a third of cloning each request. (A clone of a view would copy all of
 * the buffer behind it.)
 */
import type { Load } from "../worker-link.ts";
import type { JournalRequest } from "./request.ts";

/** Some requests; of appends the names, four numbers of each (epoch, firstSeq, count, length of the body), and all bodies one after the other. */
interface PackedAppends {
  readonly domains: readonly string[];
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly bodies: Uint8Array<ArrayBuffer>;
  /** Requests of another kind in their places, null standing for an append; null when there are none. */
  readonly others: readonly (JournalRequest | null)[] | null;
}

const NUMBERS = 4;

/** The body of an append and the segment that is taken over. */
export const JOURNAL_LOAD: Load<JournalRequest> = {
  bytesOf(request) {
    if (request.op === "append") return request.body;
    return request.op === "acceptSegment" ? request.segment : undefined;
  },
  given: false,
  pack(requests) {
    const appends = requests.filter(isAppend);
    if (appends.length === 0) return undefined;
    const all = appends.length === requests.length;
    const others = all ? null : requests.map((request) => (isAppend(request) ? null : request));
    const packed: PackedAppends = { ...packAppends(appends), others };
    return { packed, given: [packed.numbers.buffer, packed.bodies.buffer] };
  },
};

type Append = JournalRequest & { readonly op: "append" };

function isAppend(request: JournalRequest): request is Append {
  return request.op === "append";
}

function packAppends(requests: readonly Append[]): Omit<PackedAppends, "others"> {
  const domains: string[] = [];
  const numbers = new Float64Array(NUMBERS * requests.length);
  const bodies = new Uint8Array(requests.reduce((sum, { body }) => sum + body.length, 0));
  let at = 0;
  let end = 0;
  for (const { domain, epoch, firstSeq, count, body } of requests) {
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

/** The requests that `JOURNAL_LOAD` packed. The bodies of appends share a buffer. */
export function unpackAppends(packed: unknown): readonly JournalRequest[] {
  const { others, ...packedAppends } = packed as PackedAppends;
  const appends = appendsOf(packedAppends);
  if (others === null) return appends;
  let next = 0;
  return others.map((other) => other ?? (appends[next++] as JournalRequest));
}

function appendsOf({ domains, numbers, bodies }: Omit<PackedAppends, "others">): readonly JournalRequest[] {
  let start = 0;
  return domains.map((domain, i) => {
    const at = NUMBERS * i;
    const [epoch, firstSeq] = [numbers[at] as number, numbers[at + 1] as number];
    const [count, length] = [numbers[at + 2] as number, numbers[at + 3] as number];
    const body = bodies.subarray(start, start + length);
    start += length;
    return { op: "append", domain, epoch, firstSeq, count, body };
  });
}
