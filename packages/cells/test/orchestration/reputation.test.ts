/** Reputations: averages, and one number made of them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  evaluate,
  type Marks,
  marksOf,
  noReputations,
  rank,
  reputationOf,
} from "../../src/orchestration/index.ts";
import { AGENTS_MAX, MARK_WEIGHTS } from "../../src/orchestration/reputation.ts";
import { codeOf } from "./ids.ts";

const all = (value: number): Marks => ({
  quality: value,
  adherence: value,
  speed: value,
  cost: value,
  errorRate: value,
  revisions: value,
});
const best: Marks = { ...all(1), errorRate: 0, revisions: 0 };
const worst: Marks = { ...all(0), errorRate: 1, revisions: 1 };

describe("a reputation", () => {
  it("RP1: begins with the first marks, and each later one moves it by 0.3 of the difference", () => {
    const kept = noReputations();
    evaluate(kept, "a", { ...best, quality: 0.5 });
    expect(marksOf(kept, "a")?.quality).toBe(0.5);
    evaluate(kept, "a", { ...best, quality: 1 });
    expect(marksOf(kept, "a")?.quality).toBeCloseTo(0.65, 12);
    evaluate(kept, "a", { ...best, quality: 0 });
    expect(marksOf(kept, "a")?.quality).toBeCloseTo(0.455, 12);
  });

  it("RP2: is 1 for the best and 0 for the worst, weighs the marks as it says, and errors and revisions count against", () => {
    const kept = noReputations();
    expect(evaluate(kept, "best", best)).toBeCloseTo(1, 12);
    expect(evaluate(kept, "worst", worst)).toBeCloseTo(0, 12);
    for (const [name, weight] of Object.entries(MARK_WEIGHTS)) {
      const turned = name === "errorRate" || name === "revisions";
      expect(evaluate(noReputations(), "x", { ...worst, [name]: turned ? 0 : 1 })).toBeCloseTo(weight, 12);
    }
    expect(Object.values(MARK_WEIGHTS).reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(reputationOf(kept, "nobody")).toBeUndefined();
  });

  it("RP2: stays between 0 and 1, and better marks never make it less", () => {
    const mark = fc.double({ min: 0, max: 1, noNaN: true });
    const marks = fc.record({
      quality: mark,
      adherence: mark,
      speed: mark,
      cost: mark,
      errorRate: mark,
      revisions: mark,
    });
    fc.assert(
      fc.property(fc.array(marks, { minLength: 1, maxLength: 20 }), mark, (work, more) => {
        const [kept, better] = [noReputations(), noReputations()];
        for (const one of work) {
          evaluate(kept, "a", one);
          evaluate(better, "a", {
            ...one,
            quality: Math.max(one.quality, more),
            errorRate: Math.min(one.errorRate, 1 - more),
          });
        }
        const [value, higher] = [reputationOf(kept, "a") as number, reputationOf(better, "a") as number];
        expect(value).toBeGreaterThanOrEqual(-1e-9);
        expect(value).toBeLessThanOrEqual(1 + 1e-9);
        expect(higher).toBeGreaterThanOrEqual(value - 1e-9);
      }),
    );
  });

  it("ranks the best first, equal ones by name, and leaves out those it never saw", () => {
    const kept = noReputations({ ...MARK_WEIGHTS, quality: 10 });
    evaluate(kept, "b", best);
    evaluate(kept, "a", best);
    evaluate(kept, "c", { ...best, quality: 0 });
    expect(rank(kept, ["c", "nobody", "a", "b", "a"]).map(({ agent }) => agent)).toEqual(["a", "b", "c"]);
  });

  it("keeps 10,000 agents and forgets the one it marked least lately; refuses marks, weights and names out of range", () => {
    const kept = noReputations();
    for (const key of ["__proto__", "constructor"]) expect(evaluate(kept, key, best)).toBeCloseTo(1, 12);
    for (let n = 0; n < 50; n++) evaluate(kept, `a${n}`, best);
    for (let n = 0; n < AGENTS_MAX - 52; n++) kept.averages[`agent x${n}`] = { marks: best, count: 1 };
    evaluate(kept, "constructor", best);
    evaluate(kept, "new", best);
    expect(Object.keys(kept.averages)).toHaveLength(AGENTS_MAX);
    expect([reputationOf(kept, "__proto__"), reputationOf(kept, "constructor")]).toEqual([undefined, 1]);
    for (const bad of [-0.1, 1.1, Number.NaN])
      expect(codeOf(() => evaluate(kept, "a", { ...best, speed: bad }))).toBe("orchestration.bad-option");
    for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(codeOf(() => noReputations({ ...MARK_WEIGHTS, cost: bad }))).toBe("orchestration.bad-option");
    expect(codeOf(() => evaluate(kept, "", best))).toBe("orchestration.bad-option");
  });
});
