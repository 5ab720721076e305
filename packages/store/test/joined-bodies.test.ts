import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { PlacedBatch } from "../src/journal/domain-log.ts";
import { joinBodies } from "../src/journal/file/joined-bodies.ts";

const SUM = 4;

interface Laid {
  readonly gap: number;
  readonly length: number;
  /** A new file begins before it. */
  readonly newFile: boolean;
}

/** Bodies with their sums in one space of places; between them lies something else. */
function laidOut(bodies: readonly Laid[]) {
  const log = new Uint8Array(bodies.reduce((sum, { gap, length }) => sum + gap + SUM + length, 0)).fill(0xee);
  const batches: PlacedBatch[] = [];
  const fileEnds: number[] = [];
  let at = 0;
  for (const [i, { gap, length, newFile }] of bodies.entries()) {
    if (newFile) fileEnds.push(at);
    at += gap;
    const body = log.subarray(at + SUM, at + SUM + length).fill(i + 1);
    new DataView(log.buffer).setUint32(at, crc32(body), true);
    batches.push({ epoch: 1, firstSeq: i + 1, count: 1, length, place: at });
    at += SUM + length;
  }
  fileEnds.push(at);
  const endOf = (place: number): number => fileEnds.find((end) => place < end) as number;
  return { log, batches, endOf };
}

const laid = fc.array(
  fc.record({
    gap: fc.oneof(fc.nat(50), fc.nat(20_000)),
    length: fc.integer({ min: 1, max: 3_000 }),
    newFile: fc.boolean(),
  }),
  { minLength: 1, maxLength: 30 },
);

const damaged = (batch: PlacedBatch): never => {
  throw new RangeError(`damaged ${batch.firstSeq}`);
};

it("bodies are joined in order, and no read goes beyond the end of a file", () => {
  fc.assert(
    fc.property(laid, (bodies) => {
      const { log, batches, endOf } = laidOut(bodies);
      const read = (place: number, length: number): Uint8Array => {
        expect(place + length).toBeLessThanOrEqual(endOf(place));
        return log.slice(place, place + length);
      };
      const joined = joinBodies(batches, read, endOf, damaged);
      const expected = bodies.flatMap(({ length }, i) => new Array<number>(length).fill(i + 1));
      expect(Buffer.compare(joined, Uint8Array.from(expected))).toBe(0);
    }),
  );
});

it("JB1: a body with one bit turned, or cut off, is reported by its batch", () => {
  fc.assert(
    fc.property(laid, fc.nat(), fc.nat(7), (bodies, which, bit) => {
      const { log, batches, endOf } = laidOut(bodies);
      const hit = batches[which % batches.length] as PlacedBatch;
      const at = hit.place + SUM + (which % hit.length);
      log[at] = (log[at] as number) ^ (1 << bit);
      const read = (place: number, length: number): Uint8Array => log.slice(place, place + length);
      expect(() => joinBodies(batches, read, endOf, damaged)).toThrow(`damaged ${hit.firstSeq}`);
      const last = batches.at(-1) as PlacedBatch;
      log[at] = (log[at] as number) ^ (1 << bit);
      const short = (place: number, length: number): Uint8Array =>
        log.slice(place, Math.min(place + length, last.place + SUM + last.length - 1));
      expect(() => joinBodies(batches, short, endOf, damaged)).toThrow(`damaged ${last.firstSeq}`);
    }),
  );
});

it("bodies side by side take one read for many, far apart one each", () => {
  const reads = (gap: number): number => {
    const { log, batches, endOf } = laidOut(
      Array.from({ length: 200 }, () => ({ gap, length: 100, newFile: false })),
    );
    let count = 0;
    joinBodies(
      batches,
      (place, length) => {
        count += 1;
        return log.slice(place, place + length);
      },
      endOf,
      damaged,
    );
    return count;
  };
  expect(reads(40)).toBe(1);
  expect(reads(9_000)).toBe(200);
});
