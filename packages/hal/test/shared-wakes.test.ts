import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSystemTimers } from "../src/clock.ts";
import { gridFor } from "../src/shared-wakes.ts";

/** A host whose time passes by hand; it wakes at most `earlyMs` before what it was asked, as real ones do. */
function host(earlyMs = 0) {
  let nowMs = 5000.25;
  let wakes = 0;
  const armed = new Map<number, { atMs: number; fire: () => void }>();
  let nextId = 0;
  const clock = { monotonicMs: () => nowMs, wallMs: () => nowMs };
  const timeouts = {
    set: (fire: () => void, delayMs: number) => {
      armed.set(++nextId, { atMs: nowMs + delayMs - earlyMs, fire });
      return nextId;
    },
    clear: (id: unknown) => void armed.delete(id as number),
  };
  const pass = (ms: number) => {
    const end = nowMs + ms;
    for (;;) {
      const [first] = [...armed].sort(([a, x], [b, y]) => x.atMs - y.atMs || a - b);
      if (first === undefined || first[1].atMs > end) break;
      armed.delete(first[0]);
      nowMs = Math.max(nowMs, first[1].atMs);
      wakes++;
      first[1].fire();
    }
    nowMs = end;
  };
  const timers = createSystemTimers({ clock, timeouts });
  return { timers, pass, now: () => nowMs, wakes: () => wakes, armed: () => armed.size };
}

describe("timers with a tolerance", () => {
  it("fire once, no further from their moment than the tolerance or half the delay (SW1)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 9000, noNaN: true }), fc.nat(2000)), { maxLength: 20 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (list, earlyMs) => {
          const { timers, pass, now } = host(earlyMs);
          const start = now();
          let fired = 0;
          for (const [delayMs, toleranceMs] of list)
            timers.schedule(
              delayMs,
              () => {
                fired++;
                // A host is asked for whole milliseconds, and one more.
                expect(Math.abs(now() - start - delayMs)).toBeLessThanOrEqual(
                  Math.min(toleranceMs, delayMs / 2) + 2,
                );
              },
              { toleranceMs },
            );
          pass(12_000);
          expect(fired).toBe(list.length);
          expect(timers.pending).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("that repeat keep their period and share their wake-ups: five in ten seconds wake ten times (SW1, SW2)", () => {
    const { timers, pass, wakes } = host(0.7);
    const fired = [0, 0, 0, 0, 0];
    fired.forEach((_, which) => {
      const tick = (): void => {
        fired[which] = (fired[which] ?? 0) + 1;
        timers.schedule(1000, tick, { toleranceMs: 500 });
      };
      timers.schedule(1000 + 137 * which, tick, { toleranceMs: 500 });
    });
    pass(2000);
    const [before, counted] = [wakes(), [...fired]];
    pass(10_000);
    expect(wakes() - before).toBe(10);
    expect(fired.map((count, which) => count - (counted[which] ?? 0))).toEqual([10, 10, 10, 10, 10]);
  });

  it("share points with those of a finer grid (SW3)", () => {
    expect([
      gridFor(1000, 500),
      gridFor(1000, 499),
      gridFor(600, 900),
      gridFor(100, 900),
      gridFor(9000, 60),
    ]).toEqual([1000, 500, 500, 0, 0]);
    const { timers, pass, wakes } = host();
    let coarse = 0;
    const fine = (): void => void timers.schedule(250, fine, { toleranceMs: 125 });
    const rare = (): void => {
      coarse++;
      timers.schedule(2000, rare, { toleranceMs: 500 });
    };
    fine();
    rare();
    pass(3000);
    const before = wakes();
    pass(20_000);
    expect(coarse).toBeGreaterThan(9);
    expect(wakes() - before).toBe(80);
  });

  it("leave nothing in the host when all of a point are cancelled, also by one another", () => {
    const { timers, pass, armed } = host();
    const handles = [1, 2, 3].map(() => timers.schedule(1000, () => undefined, { toleranceMs: 500 }));
    expect(armed()).toBe(1);
    for (const handle of handles) handle.cancel();
    handles[0]?.cancel();
    expect([armed(), timers.pending]).toEqual([0, 0]);
    const fired: string[] = [];
    timers.schedule(
      1000,
      () => {
        fired.push("first");
        second.cancel();
      },
      { toleranceMs: 500 },
    );
    const second = timers.schedule(1000, () => fired.push("second"), { toleranceMs: 500 });
    pass(3000);
    expect(fired).toEqual(["first"]);
    expect([armed(), timers.pending]).toEqual([0, 0]);
  });

  it("fire although one of the same point throws (SW2)", () => {
    const { timers, pass } = host();
    let fired = 0;
    timers.schedule(
      1000,
      () => {
        throw new RangeError("of the test");
      },
      { toleranceMs: 500 },
    );
    timers.schedule(1000, () => fired++, { toleranceMs: 500 });
    expect(() => pass(3000)).toThrow("of the test");
    pass(10);
    expect(fired).toBe(1);
  });
});
