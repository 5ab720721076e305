/** Pieces put together (JP1, JP2). */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { joinedPieces } from "../src/joined-pieces.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("joined pieces", () => {
  test("JP1: are what went in, in order, none empty and none too long, whatever the sizes", () => {
    const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
    fc.assert(
      fc.property(
        pieces,
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 0, max: 30 }),
        (all, least, more) => {
          const left = [...all];
          const most = least + more;
          const joined = [...joinedPieces(() => left.shift(), { least, most })];
          expect(Buffer.concat(joined)).toEqual(Buffer.concat(all));
          for (const [index, one] of joined.entries()) {
            expect(one.length).toBeGreaterThan(0);
            expect(one.length).toBeLessThanOrEqual(most);
            const whole = index < joined.length - 1 && one.length < least;
            // Only what follows a piece that was cut, or is the end, may be short.
            if (whole) expect(all.some(({ length }) => length >= one.length)).toBe(true);
          }
        },
      ),
    );
  });

  test("JP1: come as soon as there is enough, without a look at the next piece", () => {
    let asked = 0;
    const joined = joinedPieces(() => (asked++ < 9 ? bytes(1, 2, 3) : undefined), { least: 5, most: 8 });
    expect(joined.next().value).toEqual(bytes(1, 2, 3, 1, 2, 3));
    expect(asked).toBe(2);
  });

  test("JP2: have memory of their own, and each piece is given back once before the next is asked for", () => {
    const given: Uint8Array[] = [];
    const one = bytes(1, 2, 3);
    let left = 3;
    const next = (): Uint8Array | undefined => {
      expect(given.length).toBe(3 - left);
      one.fill(left);
      return left-- > 0 ? one : undefined;
    };
    const joined = [...joinedPieces(next, { least: 6, most: 6 }, (piece) => void given.push(piece))];
    expect(joined).toEqual([bytes(3, 3, 3, 2, 2, 2), bytes(1, 1, 1)]);
    for (const { buffer, length } of joined) expect(buffer.byteLength).toBe(length);
    expect(given.length).toBe(3);
  });
});
