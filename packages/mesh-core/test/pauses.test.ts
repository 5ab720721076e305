/** Pauses between attempts (PS1 in `src/peers/pauses.ts`). */
import fc from "fast-check";
import { expect, it } from "vitest";
import { Pauses } from "../src/peers/pauses.ts";
import { SeededRandom } from "../src/testing/index.ts";

it("PS1: each pause is between the base and three times the one before, and never over the cap", () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 50 }),
      (seed, base, times) => {
        const cap = base * times;
        const pauses = new Pauses(new SeededRandom(seed), base, cap);
        let last = base;
        for (let attempt = 0; attempt < 40; attempt++) {
          const pause = pauses.next();
          expect(pause).toBeGreaterThanOrEqual(base);
          expect(pause).toBeLessThanOrEqual(Math.min(cap, 3 * last));
          last = pause;
        }
      },
    ),
  );
});

it("PS1: pauses grow with attempts that fail, and two nodes' differ", () => {
  const row = (seed: number): number[] => {
    const pauses = new Pauses(new SeededRandom(seed), 100, 60_000);
    return Array.from({ length: 30 }, () => pauses.next());
  };
  const rows = Array.from({ length: 200 }, (_, seed) => row(seed));
  const mean = (at: number): number => rows.reduce((sum, one) => sum + (one[at] as number), 0) / rows.length;
  expect(mean(0)).toBeLessThan(400);
  expect(mean(29)).toBeGreaterThan(10 * mean(0));
  expect(new Set(rows.map((one) => one.join())).size).toBe(rows.length);
});
