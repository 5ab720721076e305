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

const head = fc.record({ op: fc.constant("head" as const), domain: fc.string() });

it("requests come out of a pack as they went in, in order, and the caller keeps its bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(append, append, head), { maxLength: 50 }), append, (some, one) => {
      const requests: readonly JournalRequest[] = [...some, one];
      const sent = structuredClone(requests);
      const packed = JOURNAL_LOAD.pack?.(requests);
      const crossed = structuredClone(packed?.packed, { transfer: [...(packed?.given ?? [])] });
      expect(unpackAppends(crossed)).toEqual(sent);
      expect(requests).toEqual(sent);
    }),
  );
});

it("requests without an append are sent as they are", () => {
  expect(JOURNAL_LOAD.pack?.([{ op: "head", domain: "a" }])).toBeUndefined();
});
