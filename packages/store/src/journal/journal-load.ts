/**
 * What requests of a journal weigh in a worker's queue, and how appends cross to the worker. Bodies stay the caller's until `append` settles,
 * so they are copied: those of one turn into one buffer, which costs a third of cloning each request.
 */
import type { Load } from "../worker-link.ts";
import type { JournalRequest } from "./request.ts";

/** Some appends: names, four numbers of each (epoch, firstSeq, count, length of the body), and all bodies one after the other. */
interface PackedAppends {
  readonly domains: readonly string[];
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly bodies: Uint8Array<ArrayBuffer>;
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
    let bytes = 0;
    for (const request of requests) {
      if (request.op !== "append") return undefined;
      bytes += request.body.length;
    }
    const packed = packAppends(requests as readonly Append[], bytes);
    return { packed, given: [packed.numbers.buffer, packed.bodies.buffer] };
  },
};

type Append = JournalRequest & { readonly op: "append" };

function packAppends(requests: readonly Append[], bytes: number): PackedAppends {
  const domains: string[] = [];
  const numbers = new Float64Array(NUMBERS * requests.length);
  const bodies = new Uint8Array(bytes);
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

/** The appends that `JOURNAL_LOAD` packed. Their bodies share a buffer. */
export function unpackAppends(packed: unknown): readonly JournalRequest[] {
  const { domains, numbers, bodies } = packed as PackedAppends;
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
