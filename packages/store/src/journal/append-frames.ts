/**
 * Appends as bytes, for memory that two threads share: per batch the length of the domain's name in one byte, the name, epoch, first number
 * and count as 64-bit floating-point numbers, the length of the body in 4 bytes, the body. Little-endian.
 */
import type { JournalRequest } from "./request.ts";

type Append = JournalRequest & { readonly op: "append" };

const NUMBER_BYTES = 8;
const FRAME_BYTES = 1 + 3 * NUMBER_BYTES + 4;

/** Write requests into a room. Returns the bytes they take; 0, when they are not all appends or do not fit. */
export function writeAppends(requests: readonly JournalRequest[], room: Uint8Array): number {
  let bytes = 0;
  for (const request of requests) {
    if (request.op !== "append") return 0;
    bytes += FRAME_BYTES + request.domain.length + request.body.length;
  }
  if (bytes > room.length) return 0;
  const view = new DataView(room.buffer, room.byteOffset, room.length);
  let at = 0;
  for (const request of requests) at = writeAppend(request as Append, room, view, at);
  return at;
}

function writeAppend(
  { domain, epoch, firstSeq, count, body }: Append,
  room: Uint8Array,
  view: DataView,
  start: number,
): number {
  let at = start;
  room[at++] = domain.length;
  for (let i = 0; i < domain.length; i++) room[at++] = domain.charCodeAt(i);
  for (const number of [epoch, firstSeq, count]) {
    view.setFloat64(at, number, true);
    at += NUMBER_BYTES;
  }
  view.setUint32(at, body.length, true);
  room.set(body, at + 4);
  return at + 4 + body.length;
}

/** The requests that were written. */
export function readAppends(bytes: Uint8Array): readonly JournalRequest[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const requests: JournalRequest[] = [];
  for (let at = 0; at < bytes.length; ) {
    const nameEnd = at + 1 + (bytes[at] as number);
    const domain = String.fromCharCode(...bytes.subarray(at + 1, nameEnd));
    const numbers = [0, 1, 2].map((i) => view.getFloat64(nameEnd + i * NUMBER_BYTES, true));
    const [epoch, firstSeq, count] = numbers as [number, number, number];
    const bodyAt = nameEnd + 3 * NUMBER_BYTES + 4;
    const end = bodyAt + view.getUint32(bodyAt - 4, true);
    requests.push({ op: "append", domain, epoch, firstSeq, count, body: bytes.subarray(bodyAt, end) });
    at = end;
  }
  return requests;
}
