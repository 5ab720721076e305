/** SI1 of sparse-image.ts. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { SparseImage } from "../src/sparse-image.ts";

const PAGE = 4096;

/** Memory of some pages with single bytes and whole pages written. */
const memory = fc
  .tuple(
    fc.integer({ min: 0, max: 70 }),
    fc.nat(PAGE - 1),
    fc.array(fc.tuple(fc.nat(70 * PAGE), fc.boolean())),
  )
  .map(([pages, tail, writes]) => {
    const bytes = new Uint8Array(Math.max(0, pages * PAGE - tail));
    for (const [at, whole] of writes) bytes.fill(0xc3, at, at + (whole ? PAGE : 1));
    return bytes;
  });

test("a memory that is filled equals the one the image was taken of and then zeros, whatever was in it", () => {
  fc.assert(
    fc.property(memory, memory, fc.boolean(), (source, target, copied) => {
      const image = copied ? SparseImage.copyOf(source) : SparseImage.of(source);
      const expected = new Uint8Array(target.length);
      expected.set(source.subarray(0, target.length));
      if (copied) source.fill(0x77);
      image.fill(target);
      expect(Buffer.compare(target, expected)).toBe(0);
    }),
  );
});
