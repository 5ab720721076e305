/** What was seen of whom. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { admit, nextNumber, nothingSeen } from "../../src/orchestration/index.ts";
import { ORIGINS_MAX, WINDOW } from "../../src/orchestration/seen.ts";
import { idOf } from "./ids.ts";

const [a, b, me] = [idOf(1), idOf(2), idOf(3)];

describe("what was seen", () => {
  it("SN1: admits each number of an origin once, in any order within the window", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(a, b), fc.integer({ min: 1, max: WINDOW })), {
          maxLength: 400,
        }),
        (messages) => {
          const seen = nothingSeen();
          const admitted = messages.filter(([origin, number]) => admit(seen, origin, number));
          const different = new Set(messages.map(([origin, number]) => `${origin} ${number}`));
          expect(admitted).toHaveLength(different.size);
        },
      ),
    );
  });

  it("SN1: drops what is older than its window rather than take it twice", () => {
    const seen = nothingSeen();
    for (let number = 2; number <= 2 + WINDOW; number++) expect(admit(seen, a, number)).toBe(true);
    expect(admit(seen, a, 1)).toBe(false);
    expect(seen.of[a]).toEqual({ upTo: 2 + WINDOW, above: [] });
  });

  it("SN2: keeps 1,024 origins and forgets the one it heard of least lately", () => {
    const seen = nothingSeen();
    for (let origin = 0; origin < ORIGINS_MAX; origin++) admit(seen, idOf(100 + origin), 1);
    admit(seen, idOf(100), 2);
    admit(seen, idOf(99), 1);
    expect(Object.keys(seen.of)).toHaveLength(ORIGINS_MAX);
    expect(admit(seen, idOf(100), 2)).toBe(false);
    expect(admit(seen, idOf(101), 1)).toBe(true);
  });

  it("counts own messages as seen, and takes no number that is none", () => {
    const seen = nothingSeen();
    expect([nextNumber(seen, me), nextNumber(seen, me)]).toEqual([1, 2]);
    expect(admit(seen, me, 2)).toBe(false);
    for (const number of [0, -1, 1.5, Number.NaN, Number.MAX_VALUE])
      expect(admit(seen, a, number)).toBe(false);
    for (const origin of ["__proto__", "", "a"]) expect(admit(seen, origin, 1)).toBe(false);
  });
});
