import { NodeClock, VirtualTime } from "@glia-os/sim";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./code-of.ts";

test("VT2: timers fire by moment, those of one moment in the order they were set, and see their moment", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays) => {
      const time = new VirtualTime();
      const fired: [number, number][] = [];
      for (const [index, delay] of delays.entries())
        time.schedule(delay, () => fired.push([time.nowMs, index]));
      time.advanceTo(30);
      const expected = delays.map((delay, index) => [delay, index] as const);
      expect(fired).toEqual([...expected].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
      expect([time.nowMs, time.size, time.nextMs]).toEqual([30, 0, Number.POSITIVE_INFINITY]);
    }),
  );
});

test("VT3: a timer set by a timer fires on the way when it is due, and a cancelled one does not", () => {
  const time = new VirtualTime();
  const fired: string[] = [];
  const never = time.schedule(6, () => fired.push("never"));
  time.schedule(5, () => {
    never.cancel();
    time.schedule(0, () => fired.push(`now ${time.nowMs}`));
    time.schedule(3, () => fired.push(`later ${time.nowMs}`));
    time.schedule(90, () => fired.push("too late"));
  });
  time.advanceTo(10);
  expect(fired).toEqual(["now 5", "later 8"]);
  expect(time.nextMs).toBe(95);
  never.cancel();
  expect(time.size).toBe(1);
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, "1" as never])("a delay of %s is refused", (delay) => {
  const time = new VirtualTime();
  expect(codeOf(() => time.schedule(delay, () => {}))).toBe("sim.bad-option");
  expect(time.size).toBe(0);
});

test("VT1: time does not go back", () => {
  const time = new VirtualTime();
  time.advanceTo(5);
  expect(codeOf(() => time.advanceTo(4))).toBe("sim.bad-option");
  expect(codeOf(() => time.advanceTo(Number.NaN))).toBe("sim.bad-option");
  expect(time.nowMs).toBe(5);
});

test("timers are bounded", () => {
  const time = new VirtualTime();
  for (let i = 0; i < 1_048_576; i++) time.schedule(1, () => {});
  expect(codeOf(() => time.schedule(1, () => {}))).toBe("sim.bad-option");
  expect(time.size).toBe(1_048_576);
});

test("NC1: whatever the drift is changed to, monotonic time never goes back and runs at the stated rate", () => {
  const step = fc.record({
    passMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
    ppm: fc.integer({ min: -100_000, max: 100_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const time = new VirtualTime();
      const clock = new NodeClock(time);
      let last = 0;
      let ppmNow = 0;
      for (const { passMs, ppm } of steps) {
        time.advanceTo(time.nowMs + passMs);
        const reading = clock.monotonicMs();
        expect(reading).toBeGreaterThanOrEqual(last);
        expect(reading - last).toBeCloseTo(passMs * (1 + ppmNow / 1e6), 3);
        last = reading;
        ppmNow = ppm;
        clock.setDrift(ppm);
        expect(clock.monotonicMs()).toBe(last);
      }
    }),
  );
});

test("the true time of a reading is one at which the clock has come there, and not much later", () => {
  const passed = fc.double({ min: 0, max: 1e9, noNaN: true });
  const drift = fc.integer({ min: -100_000, max: 100_000 });
  fc.assert(
    fc.property(passed, drift, passed, (passMs, driftPpm, aheadMs) => {
      const time = new VirtualTime();
      const clock = new NodeClock(time, { driftPpm });
      time.advanceTo(passMs);
      clock.setDrift(-driftPpm);
      const goal = clock.monotonicMs() + aheadMs;
      const at = clock.trueMsOf(goal);
      expect(at).toBeGreaterThanOrEqual(time.nowMs);
      time.advanceTo(at);
      expect(clock.monotonicMs()).toBeGreaterThanOrEqual(goal);
      expect(clock.monotonicMs() - goal).toBeLessThan(1e-3);
    }),
  );
});

test("NC2: a step moves wall time only", () => {
  const time = new VirtualTime();
  const clock = new NodeClock(time, { wallStartMs: 1000, driftPpm: 100_000 });
  time.advanceTo(100);
  clock.stepWall(-500);
  expect(clock.wallMs()).toBeCloseTo(610, 9);
  expect(clock.monotonicMs()).toBeCloseTo(110, 9);
});

test.each([
  ["driftPpm", { driftPpm: 100_001 }],
  ["driftPpm", { driftPpm: Number.NaN }],
  ["wallStartMs", { wallStartMs: -1 }],
])("a clock with a bad %s is refused", (_, options) => {
  expect(codeOf(() => new NodeClock(new VirtualTime(), options))).toBe("sim.bad-option");
});
