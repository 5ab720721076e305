import fc from "fast-check";
import { expect, it } from "vitest";
import { JOURNAL_LOAD, JOURNAL_PACKING } from "../src/journal/journal-load.ts";
import type { JournalRequest } from "../src/journal/request.ts";

const append = fc.record({
  op: fc.constant("append" as const),
  domain: fc.string({ minLength: 1, maxLength: 128 }),
  epoch: fc.maxSafeNat(),
  firstSeq: fc.maxSafeNat(),
  count: fc.integer({ min: 1, max: 65_535 }),
  body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
});

const head = fc.record({ op: fc.constant("head" as const), domain: fc.string() });

it("requests come out of a pack as they went in, in order, and the caller keeps its bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(append, append, head), { maxLength: 50 }), append, (some, one) => {
      const requests: readonly JournalRequest[] = [...some, one];
      const sent = structuredClone(requests);
      const packed = JOURNAL_LOAD.pack?.(requests);
      const crossed = structuredClone(packed?.packed, { transfer: [...(packed?.given ?? [])] });
      expect(JOURNAL_PACKING.unpack(crossed)).toEqual(sent);
      expect(requests).toEqual(sent);
    }),
  );
});

it("requests without an append are sent as they are", () => {
  expect(JOURNAL_LOAD.pack?.([{ op: "head", domain: "a" }])).toBeUndefined();
});

it("batches that were read come out of a pack as they went in, and other replies are left as they are", () => {
  fc.assert(
    fc.property(fc.array(append, { minLength: 1, maxLength: 50 }), (appends) => {
      const batches = appends.map(({ op, ...batch }) => batch);
      const given: ArrayBuffer[] = [];
      const packed = JOURNAL_PACKING.packReply(batches, given);
      const crossed = structuredClone(packed, { transfer: given });
      expect(JOURNAL_LOAD.unpackReply?.(crossed)).toEqual(batches);
    }),
  );
  const head = { domain: "a", epoch: 1, firstSeq: 1, nextSeq: 2, bytes: 3 };
  for (const reply of [[], [head], head, undefined, 7, new Uint8Array(3)]) {
    const given: ArrayBuffer[] = [];
    expect(JOURNAL_LOAD.unpackReply?.(JOURNAL_PACKING.packReply(reply, given))).toEqual(reply);
    expect(given).toEqual([]);
  }
});

it("joined reads and their replies come out of their packs as they went in", () => {
  const read = fc.record({
    op: fc.constant("read" as const),
    domain: fc.string({ maxLength: 128 }),
    fromSeq: fc.maxSafeNat(),
    most: fc.maxSafeNat(),
    joined: fc.constant(true),
  });
  const reply = fc.record({
    firstSeq: fc.maxSafeNat(),
    count: fc.integer({ min: 1, max: 65_535 }),
    body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
  });
  fc.assert(
    fc.property(
      fc.array(read, { minLength: 1, maxLength: 20 }),
      fc.array(reply, { minLength: 2, maxLength: 20 }),
      (reads, replies) => {
        const packed = JOURNAL_LOAD.pack?.(reads);
        const crossed = structuredClone(packed?.packed, { transfer: [...(packed?.given ?? [])] });
        expect(JOURNAL_PACKING.unpack(crossed)).toEqual(reads);
        const given: ArrayBuffer[] = [];
        const together = structuredClone(JOURNAL_PACKING.packReplies?.(replies, given), { transfer: given });
        expect(JOURNAL_LOAD.unpackReplies?.(together)).toEqual(replies);
      },
    ),
  );
  const large = { firstSeq: 1, count: 1, body: new Uint8Array(2 ** 20) };
  for (const some of [[large], [large, large], [large, undefined], [large, []]])
    expect(JOURNAL_PACKING.packReplies?.(some, [])).toBeUndefined();
});
