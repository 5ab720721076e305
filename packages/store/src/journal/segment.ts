/** A segment as bytes (docs/spec/journal.md): made from batches, read back with every check of the page. */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { BATCH_HEAD, SEGMENT_HEAD } from "./domain-log.ts";
import { SegmentRefusedError } from "./errors.ts";
import { BATCH_BYTES, BATCH_RECORDS, SEGMENT_BYTES_MOST } from "./limits.ts";

const MAGIC = 0x534a4c47; // "GLJS", little-endian
const VERSION = 1;
const U32 = 2 ** 32;

/** Bodies of one segment, in order. */
export interface SegmentBatch {
  readonly count: number;
  readonly body: Uint8Array;
}

/** A whole segment. */
export interface Segment {
  readonly domain: string;
  readonly epoch: number;
  readonly firstSeq: number;
  /** Hash of the predecessor, hexadecimal. */
  readonly prevHash: string;
  readonly batches: readonly SegmentBatch[];
}

/** The bytes of a segment. */
export function encodeSegment(segment: Segment): Uint8Array {
  const { domain, epoch, firstSeq, prevHash, batches } = segment;
  const head = Buffer.alloc(SEGMENT_HEAD + domain.length);
  head.writeUInt32LE(MAGIC, 0);
  head.writeUInt8(VERSION, 4);
  head.writeUInt16LE(domain.length, 6);
  writeU64(head, epoch, 8);
  writeU64(head, firstSeq, 16);
  head.write(prevHash, 24, "hex");
  head.write(domain, SEGMENT_HEAD, "latin1");
  const bytes = Buffer.concat([head, ...batches.flatMap((batch) => [batchHead(batch), batch.body])]);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** SHA-256 of a segment, hexadecimal. */
export function segmentHash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The number after the last record of a segment. */
export function segmentEnd({ firstSeq, batches }: Segment): number {
  return batches.reduce((seq, { count }) => seq + count, firstSeq);
}

/** What a segment's bytes say. @throws `store.segment-refused`; a torn tail is refused too, because a sealed segment has none. */
export function decodeSegment(bytes: Uint8Array): Segment {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  refuseUnless(data.length <= SEGMENT_BYTES_MOST, `it is larger than ${SEGMENT_BYTES_MOST} bytes`);
  refuseUnless(data.length > SEGMENT_HEAD && data.readUInt32LE(0) === MAGIC, "it is no journal segment");
  refuseUnless(data[4] === VERSION && data[5] === 0, `its format is ${data[4]}.${data[5]}, known is 1.0`);
  const end = SEGMENT_HEAD + data.readUInt16LE(6);
  refuseUnless(end < data.length, "it ends before its first batch");
  const segment = {
    domain: data.toString("latin1", SEGMENT_HEAD, end),
    epoch: readU64(data, 8),
    firstSeq: readU64(data, 16),
    prevHash: data.toString("hex", 24, SEGMENT_HEAD),
    batches: decodeBatches(data, end),
  };
  refuseUnless(segment.firstSeq >= 1 && segment.epoch >= 1, "its epoch or first record is 0");
  refuseUnless(Number.isSafeInteger(segmentEnd(segment)), "its numbers leave the safe integers");
  return segment;
}

function batchHead({ count, body }: SegmentBatch): Buffer {
  const head = Buffer.alloc(BATCH_HEAD);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(count, 4);
  head.writeUInt32LE(crc32(body, crc32(head.subarray(0, 8))), 8);
  return head;
}

function decodeBatches(data: Buffer, start: number): readonly SegmentBatch[] {
  const batches: SegmentBatch[] = [];
  for (let at = start; at < data.length; ) {
    refuseUnless(data.length - at > BATCH_HEAD, `the batch at byte ${at} is cut off`);
    const length = data.readUInt32LE(at);
    const count = data.readUInt32LE(at + 4);
    refuseUnless(length >= 1 && length <= BATCH_BYTES, `the batch at byte ${at} has ${length} bytes`);
    refuseUnless(count >= 1 && count <= BATCH_RECORDS, `the batch at byte ${at} has ${count} records`);
    refuseUnless(data.length - at - BATCH_HEAD >= length, `the batch at byte ${at} is cut off`);
    const body = data.subarray(at + BATCH_HEAD, at + BATCH_HEAD + length);
    const sum = crc32(body, crc32(data.subarray(at, at + 8)));
    refuseUnless(sum === data.readUInt32LE(at + 8), `the batch at byte ${at} fails its checksum`);
    batches.push({ count, body });
    at += BATCH_HEAD + length;
  }
  return batches;
}

function refuseUnless(condition: boolean, why: string): asserts condition {
  if (!condition) throw new SegmentRefusedError(why);
}

/** Write an integer below 2^53. */
export function writeU64(data: Buffer, value: number, at: number): void {
  data.writeUInt32LE(value % U32, at);
  data.writeUInt32LE(Math.floor(value / U32), at + 4);
}

/** Read a 64-bit integer; above 2^53 the result is no safe integer, which the callers refuse. */
export function readU64(data: Buffer, at: number): number {
  return data.readUInt32LE(at) + data.readUInt32LE(at + 4) * U32;
}
