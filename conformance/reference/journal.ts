/**
 * Reference reader and writer of the journal's byte format (docs/spec/journal.md), for vectors. Plain and slow on purpose.
 * `node conformance/reference/journal.ts --write` makes conformance/vectors/journal.json anew.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { decodeFirst, encode, rfc8949EncodeOptions } from "cborg";

/** A record as the specification names its fields. */
export type Row = readonly [
  kind: number,
  seq: number,
  taskPath: readonly number[],
  op: number,
  argsHash: Uint8Array | null,
  outcome: unknown,
];

/** A segment's header fields. */
export interface SegmentHeader {
  readonly domain: string;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly prevHash: Uint8Array;
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true);
  return bytes;
}

/** The bytes of one batch. */
export function encodeBatch(rows: readonly Row[]): Uint8Array {
  const body = Buffer.concat(rows.map((row) => encode(row, rfc8949EncodeOptions)));
  const head = Buffer.alloc(12);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(rows.length, 4);
  head.writeUInt32LE(crc32(body, crc32(head.subarray(0, 8))), 8);
  return Buffer.concat([head, body]);
}

/** The bytes of one segment. */
export function encodeSegment(header: SegmentHeader, batches: readonly (readonly Row[])[]): Uint8Array {
  const domain = Buffer.from(header.domain, "latin1");
  const head = Buffer.from([0x47, 0x4c, 0x4a, 0x53, 1, 0, domain.length & 255, domain.length >> 8]);
  return Buffer.concat([
    head,
    u64(header.epoch),
    u64(header.firstSeq),
    header.prevHash,
    domain,
    ...batches.map(encodeBatch),
  ]);
}

/** What a segment's bytes say, or why they are refused. */
export function decodeSegment(bytes: Uint8Array): { header: SegmentHeader; rows: Row[]; torn: boolean } {
  const data = Buffer.from(bytes);
  if (data.length < 56 || data.toString("latin1", 0, 4) !== "GLJS")
    throw new TypeError("not a journal segment");
  if (data[4] !== 1 || data[5] !== 0) throw new TypeError("unknown version or flags");
  let at = 56 + data.readUInt16LE(6);
  const header = {
    domain: data.toString("latin1", 56, at),
    epoch: Number(data.readBigUInt64LE(8)),
    firstSeq: Number(data.readBigUInt64LE(16)),
    prevHash: new Uint8Array(data.subarray(24, 56)),
  };
  const rows: Row[] = [];
  while (at < data.length) {
    const end = data.length - at < 12 ? Number.POSITIVE_INFINITY : at + 12 + data.readUInt32LE(at);
    const sound =
      end <= data.length &&
      crc32(data.subarray(at + 12, end), crc32(data.subarray(at, at + 8))) === data.readUInt32LE(at + 8);
    if (!sound && end < data.length) throw new TypeError(`batch at ${at} is corrupt`);
    if (!sound) return { header, rows, torn: true };
    let rest: Uint8Array = data.subarray(at + 12, end);
    for (let count = data.readUInt32LE(at + 4); count > 0; count--) {
      const [row, remainder] = decodeFirst(rest, { strict: true }) as [Row, Uint8Array];
      rows.push(row);
      rest = remainder;
    }
    if (rest.length > 0) throw new TypeError(`batch at ${at} has bytes after its last record`);
    at = end;
  }
  return { header, rows, torn: false };
}

/** The committed vectors: two chained segments of one domain. */
export function journalVectors(): { spec: string; segments: { hex: string; sha256: string }[] } {
  const sha256 = (data: Uint8Array): Buffer => createHash("sha256").update(data).digest();
  const args = sha256(Buffer.from("arguments"));
  const first = encodeSegment({ domain: "agent/7f", epoch: 1, firstSeq: 1, prevHash: new Uint8Array(32) }, [
    [
      [4, 1, [], 6, null, 1],
      [1, 2, [0], 14, args, "hello"],
    ],
    [[2, 3, [0], 37, args, null]],
  ]);
  const second = encodeSegment({ domain: "agent/7f", epoch: 2, firstSeq: 4, prevHash: sha256(first) }, [
    [[1, 4, [0], 37, args, new Uint8Array([1, 2, 3])]],
  ]);
  const entry = (bytes: Uint8Array) => ({
    hex: Buffer.from(bytes).toString("hex"),
    sha256: sha256(bytes).toString("hex"),
  });
  return { spec: "docs/spec/journal.md", segments: [entry(first), entry(second)] };
}

if (import.meta.main && process.argv.includes("--write")) {
  writeFileSync(
    new URL("../vectors/journal.json", import.meta.url),
    `${JSON.stringify(journalVectors(), null, 2)}\n`,
  );
}
