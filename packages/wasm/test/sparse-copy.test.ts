import fc from "fast-check";
import { expect, test } from "vitest";
import { copySparse, isZeroPage } from "../src/sparse-copy.ts";

const PAGE = 4096;
const block = fc.constantFrom("zero", "one", "last", "random");

/** Memory of whole and partial pages that are zero, nearly zero or full. */
const memory = fc
  .tuple(fc.array(block, { minLength: 1, maxLength: 40 }), fc.nat(PAGE - 1))
  .map(([kinds, tail]) => {
    const bytes = new Uint8Array(kinds.length * PAGE - tail);
    for (const [index, kind] of kinds.entries()) {
      const page = bytes.subarray(index * PAGE, (index + 1) * PAGE);
      if (kind === "one") page[0] = 1;
      if (kind === "last") page[page.length - 1] = 1;
      if (kind === "random") page.fill(0xa5);
    }
    return bytes;
  });

test("a sparse copy equals its source, whatever the target held before", () => {
  fc.assert(
    fc.property(memory, fc.boolean(), (source, dirty) => {
      const target = new Uint8Array(source.length).fill(dirty ? 0x5a : 0);
      copySparse(target, source);
      expect(Buffer.compare(target, source)).toBe(0);
    }),
  );
});

test("a page is zero only when every byte of it is", () => {
  for (const at of [0, 1, 2047, PAGE - 1]) {
    const page = new Uint8Array(PAGE);
    expect(isZeroPage(page)).toBe(true);
    page[at] = 1;
    expect(isZeroPage(page)).toBe(false);
  }
});
