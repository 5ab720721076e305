import { describe, expect, it } from "vitest";
import { allRuns, isOnce, type Run } from "../main.ts";

/** Some 45 processes, one after the other or four at once. */
const LIMIT_MS = 180_000;

describe("the resilient agent", () => {
  it(
    "does everything once, whichever moment before or after a write it is killed at, and also when every life is cut off",
    async () => {
      const runs: Run[] = [];
      for await (const { fine, ...run } of allRuns()) {
        expect(fine, JSON.stringify(run)).toBe(true);
        runs.push(run);
      }
      const [whole] = runs;
      const killed = runs.filter(({ lives }) => lives === 2);
      // Every write has a moment before it and one after it: records of the journal, two reservations, one payment, one mail.
      expect(killed.length).toBeGreaterThanOrEqual(12);
      expect(killed.map(({ killedAt }) => killedAt)).toEqual(killed.map((_, index) => index + 1));
      expect(whole).toMatchObject({
        lives: 1,
        reservations: ["trip-1/flight", "trip-1/hotel"],
        payments: ["trip-1 48000"],
        mails: ["trip-1/mail"],
      });
      expect(runs.at(-1)?.lives).toBeGreaterThan(3);
    },
    LIMIT_MS,
  );

  it("a second payment, a missing mail and another result are not taken for once", () => {
    const whole: Run = {
      killedAt: 0,
      lives: 1,
      result: '{"a":1,"b":2}',
      reservations: ["x"],
      payments: ["t 1"],
      mails: ["m"],
    };
    expect(isOnce({ ...whole, result: '{"b":2,"a":1}' }, whole)).toBe(true);
    for (const wrong of [
      { payments: ["t 1", "t 1"] },
      { mails: [] },
      { result: '{"a":1}' },
      { reservations: ["x", "x"] },
    ])
      expect(isOnce({ ...whole, ...wrong }, whole)).toBe(false);
  });
});
