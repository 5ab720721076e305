/** Marks of written pages (DM1, DM2 of barrier/dirty-marks.ts). */
import fc from "fast-check";
import { expect, it } from "vitest";
import { DirtyMarks } from "../src/barrier/dirty-marks.ts";
import { DIRTY_EXPORT } from "../src/layout.ts";
import { webAssembly } from "../src/web-assembly.ts";

it("finds every marked page from anywhere on, near and far, and no other", () => {
  const memory = new webAssembly.Memory({ initial: 1, maximum: 1 });
  const marks = DirtyMarks.of({ [DIRTY_EXPORT]: memory });
  const bytes = new Uint8Array(memory.buffer);
  const page = fc.oneof(
    fc.nat({ max: 600 }),
    fc.nat({ max: bytes.length - 1 }),
    fc.constantFrom(0, 255, 256, bytes.length - 1),
  );
  fc.assert(
    fc.property(fc.uniqueArray(page, { maxLength: 20 }), page, (marked, from) => {
      bytes.fill(0);
      for (const one of marked) marks.mark(one * 4096, 1);
      const expected = marked.filter((one) => one >= from).sort((a, b) => a - b);
      const found: number[] = [];
      for (let at = marks.next(from); at >= 0; at = marks.next(at + 1)) found.push(at);
      expect(found).toEqual(expected);
      expect(marks.count).toBe(marked.length);
    }),
  );
});
