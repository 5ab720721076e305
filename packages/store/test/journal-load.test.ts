import fc from "fast-check";
import { expect, it } from "vitest";
import { JOURNAL_LOAD, unpackAppends } from "../src/journal/journal-load.ts";
import type { JournalRequest } from "../src/journal/request.ts";

const append = fc.record({
  op: fc.constant("append" as const),
  domain: fc.string({ minLength: 1, maxLength: 128 }),
  epoch: fc.maxSafeNat(),
  firstSeq: fc.maxSafeNat(),
  count: fc.integer({ min: 1, max: 65_535 }),
  body: fc.uint8Array({ minLength: 1, maxLength: 300 }),
});

it("appends come out of a pack as they went in, in order, and the caller keeps its bytes", () => {
  fc.assert(
    fc.property(fc.array(append, { minLength: 1, maxLength: 50 }), (requests) => {
      const sent = structuredClone(requests);
      const packed = JOURNAL_LOAD.pack?.(requests);
      const crossed = structuredClone(packed?.packed, { transfer: [...(packed?.given ?? [])] });
      expect(unpackAppends(crossed)).toEqual(sent);
      expect(requests).toEqual(sent);
    }),
  );
});

it("requests that are not all appends are sent as they are", () => {
  const requests: readonly JournalRequest[] = [
    { op: "append", domain: "a", epoch: 1, firstSeq: 1, count: 1, body: Uint8Array.of(1) },
    { op: "head", domain: "a" },
  ];
  expect(JOURNAL_LOAD.pack?.(requests)).toBeUndefined();
});
