import { decodeFirst, encode, rfc8949EncodeOptions } from "cborg";
import fc from "fast-check";
import { expect, it } from "vitest";
import { joined } from "../src/joined.ts";
import { type DurableRecord, decodeRecord, encodeRecord, KIND, reread } from "../src/record.ts";

const plain = fc.oneof(
  fc.constantFrom(0, 1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
  fc.maxSafeInteger(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined, "", "a".repeat(256), "a".repeat(257), "ä", "\ud800", -0),
  fc.string({ unit: "grapheme" }),
  fc.uint8Array(),
  fc.jsonValue(),
);
const seqs = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const path = fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 30 });
const hash = fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }));

/** The bytes that the general encoder makes. */
function general(seq: number, record: DurableRecord & { kind: typeof KIND.resume }): Uint8Array {
  const { kind, path: at, op, argsHash, outcome } = record;
  const value = outcome.failed ? null : outcome.value;
  return encode([kind, seq, at, op, argsHash, value], rfc8949EncodeOptions);
}

const outcomes = fc.record({
  kind: fc.constant(KIND.resume),
  path,
  op: fc.integer({ min: 0, max: 300 }),
  argsHash: hash,
  outcome: fc.record({ failed: fc.constant(false as const), value: plain }),
});

it("RA1: a record has the bytes that a general deterministic encoder gives it", () => {
  fc.assert(
    fc.property(seqs, outcomes, (seq, record) => {
      expect([...encodeRecord(seq, record)]).toEqual([...general(seq, record)]);
    }),
  );
});

it("R1, RR1: a record read by hand and one read by the general decoder are the same", () => {
  fc.assert(
    fc.property(seqs, outcomes, fc.nat(40), (seq, record, before) => {
      const bytes = encodeRecord(seq, record);
      const body = joined([new Uint8Array(before), bytes, Uint8Array.of(1, 2, 3)]);
      const read = decodeRecord(body, before);
      const [row] = decodeFirst(bytes, { strict: true }) as [readonly unknown[], Uint8Array];
      expect(read).toEqual({
        seq,
        bytes: bytes.length,
        record: { ...record, outcome: { failed: false, value: row[5] } },
      });
      expect(reread(record, bytes)).toEqual(read.record);
    }),
  );
});

it("RR1: a record that is cut short, or whose integers are not in their shortest form, is refused", () => {
  const record = { kind: KIND.time, nowMs: 1_700_000_000_000 } as const;
  const bytes = encodeRecord(300, record);
  expect(decodeRecord(bytes).record).toEqual(record);
  for (let length = 0; length < bytes.length; length++)
    expect(() => decodeRecord(bytes.subarray(0, length))).toThrow();
  const long = [0x86, 7, 0x18, 5, 0x80, 0, 0xf6, 0];
  expect(() => decodeRecord(Uint8Array.from(long))).toThrow();
  expect(decodeRecord(Uint8Array.from(long.toSpliced(2, 1))).seq).toBe(5);
});

it("RA2, RA3: records keep their bytes when others are written after them and while a value is asked for its parts", () => {
  const written: { readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  const write = (payload: unknown): void => {
    const bytes = encodeRecord(1, { kind: KIND.message, payload });
    written.push({ bytes, copy: bytes.slice() });
  };
  const nested = {
    get part() {
      write("inner");
      return "outer";
    },
  };
  for (let i = 0; i < 3_000; i++) write(i % 7 === 0 ? nested : "x".repeat(i % 200));
  write("y".repeat(500_000));
  for (const { bytes, copy } of written) expect(Buffer.compare(bytes, copy)).toBe(0);
  expect(decodeRecord(encodeRecord(1, { kind: KIND.message, payload: nested })).record).toEqual({
    kind: KIND.message,
    payload: { part: "outer" },
  });
});

it("records that were written in one go are one body without a copy", () => {
  const parts = [1, 2, 3].map((seq) => encodeRecord(seq, { kind: KIND.message, payload: "m" }));
  const body = joined(parts);
  expect(body.buffer).toBe(parts[0]?.buffer);
  expect(Buffer.compare(body, Buffer.concat(parts))).toBe(0);
  expect(Buffer.compare(joined([parts[2]!, parts[0]!]), Buffer.concat([parts[2]!, parts[0]!]))).toBe(0);
});
