/** The promises of `TimerQueue`, for every timer queue, against a list that is searched from end to end. */
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import { type Timed, TimerHeap, type TimerQueue, TimerWheel } from "@glia-os/kernel/timer-wheel";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { codeOf } from "./run.ts";

interface Alarm extends Timed {
  readonly name: number;
  /** What was in the past already when it was set is as late as that moment. */
  readonly setAtMs: number;
}

const kinds: readonly [string, (nowMs: number) => TimerQueue<Alarm>][] = [
  ["heap", () => new TimerHeap<Alarm>()],
  ["wheel", (nowMs) => new TimerWheel<Alarm>(nowMs)],
];

/** Near and far: every level of the wheel, whole and broken milliseconds, and the past. */
const delay = fc.oneof(
  fc.integer({ min: -5, max: 70 }),
  fc.double({ min: 0, max: 5000, noNaN: true }),
  fc.integer({ min: 0, max: 9_000_000_000_000 }),
  fc.nat(8).map((level) => 64 ** level),
  fc.nat(8).map((level) => 64 ** level - 1),
);
const step = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), delay }),
  fc.record({ kind: fc.constant("cancel" as const), which: fc.nat() }),
  fc.record({ kind: fc.constant("pass" as const), delay: delay.map((ms) => Math.max(0, ms)) }),
  fc.record({ kind: fc.constant("jump" as const) }),
);

describe.each(kinds)("%s", (_, create) => {
  test("W1, W2, W3, W4: under any calls, everything expires once, never early and in time, or was cancelled", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (steps, startMs) => {
          const queue = create(startMs);
          const model = new Map<Alarm, number>();
          let nowMs = startMs;
          let names = 0;
          const drain = () => {
            let before = Number.NEGATIVE_INFINITY;
            for (let alarm = queue.expire(nowMs); alarm !== null; alarm = queue.expire(nowMs)) {
              const deadline = model.get(alarm);
              expect(deadline, "expired once").toBeDefined();
              expect(deadline!).toBeLessThanOrEqual(nowMs);
              const due = Math.ceil(Math.max(deadline!, alarm.setAtMs));
              expect(due + queue.resolutionMs).toBeGreaterThanOrEqual(before);
              before = due;
              model.delete(alarm);
              expect(alarm.timerAt).toBe(-1);
            }
            for (const deadline of model.values())
              expect(deadline + queue.resolutionMs).toBeGreaterThan(nowMs);
            expect(queue.size).toBe(model.size);
            expect(queue.next).toBeGreaterThan(nowMs);
            const least = Math.min(Number.POSITIVE_INFINITY, ...model.values());
            expect(queue.next).toBeLessThanOrEqual(least + queue.resolutionMs);
          };
          for (const action of steps) {
            if (action.kind === "set") {
              const alarm: Alarm = { name: names++, setAtMs: nowMs, timerAt: -1 };
              model.set(alarm, nowMs + action.delay);
              queue.set(alarm, nowMs + action.delay);
              expect(queue.deadlineOf(alarm)).toBe(nowMs + action.delay);
            } else if (action.kind === "cancel") {
              const alarm = [...model.keys()][action.which % Math.max(1, model.size)];
              if (alarm === undefined) continue;
              queue.cancel(alarm);
              queue.cancel(alarm);
              model.delete(alarm);
              expect([alarm.timerAt, queue.deadlineOf(alarm)]).toEqual([-1, undefined]);
            } else {
              nowMs =
                action.kind === "pass" ? nowMs + action.delay : Math.max(nowMs, Math.min(queue.next, 1e15));
              drain();
            }
            expect(queue.size).toBe(model.size);
          }
          for (let rounds = 0; model.size > 0; rounds++) {
            expect(rounds, "every jump to `next` comes nearer").toBeLessThan(2000);
            nowMs = queue.next;
            drain();
          }
          expect([queue.size, queue.next]).toEqual([0, Number.POSITIVE_INFINITY]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("10,000 timers set in random order expire in order of their milliseconds", () => {
    const queue = create(0);
    let seed = 1;
    for (let i = 0; i < 10_000; i++) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      queue.set({ name: i, setAtMs: 0, timerAt: -1 }, seed % 300_000);
    }
    const deadlines: number[] = [];
    while (queue.size > 0) {
      const at = queue.next;
      for (let alarm = queue.expire(at); alarm !== null; alarm = queue.expire(at)) deadlines.push(at);
    }
    expect(deadlines.length).toBe(10_000);
    expect(deadlines).toEqual(deadlines.toSorted((a, b) => a - b));
  });
});

test.each(["heap", "wheel"] as const)(
  "a kernel with a %s wakes its sleepers at their time, in order",
  (timers) => {
    const { kernel, clock } = createTestKernel(1, { timers });
    const woken: number[] = [];
    for (const nap of [70_000, 3, 64, 0, 4096, 63, 65, 2 ** 40]) {
      kernel.spawn(function* (sys) {
        yield* sys.sleep(nap);
        woken.push(nap);
        expect(clock.monotonicMs()).toBe(nap);
      });
    }
    expect(runToCompletion(kernel, clock)).toBe("ended");
    expect(woken).toEqual([0, 3, 63, 64, 65, 4096, 70_000, 2 ** 40]);
  },
);

test("a wheel rounds up: a sleep never ends early", () => {
  const { kernel, clock } = createTestKernel(1, { timers: "wheel" });
  clock.advance(0.75);
  let at = 0;
  kernel.spawn(function* (sys) {
    yield* sys.sleep(1.5);
    at = clock.monotonicMs();
  });
  runToCompletion(kernel, clock);
  expect(at).toBe(3);
});

test("an unknown kind of timer queue is refused", () => {
  expect(codeOf(() => createTestKernel(1, { timers: "clock" as "heap" }))).toBe("kernel.bad-option");
});
