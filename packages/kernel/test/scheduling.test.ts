import type { Priority } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { resultOf, run } from "./run.ts";

test("Q1: a higher priority runs first; inside a priority, first come first served", () => {
  const { kernel, clock } = createTestKernel();
  const order: string[] = [];
  const levels: Priority[] = ["low", "normal", "high", "critical", "system"];
  for (const priority of levels) {
    for (const name of ["a", "b"]) {
      kernel.spawn(
        function* () {
          order.push(`${priority} ${name}`);
        },
        { priority },
      );
    }
  }
  runToCompletion(kernel, clock);
  expect(order).toEqual(levels.toReversed().flatMap((level) => [`${level} a`, `${level} b`]));
});

test("Q2: aging lets the lowest priority run beside tasks of the highest that never stop", () => {
  const { kernel } = createTestKernel();
  let low = 0;
  for (let i = 0; i < 3; i++) {
    kernel.spawn(
      function* (sys) {
        for (;;) yield* sys.yield();
      },
      { priority: "critical" },
    );
  }
  for (let i = 0; i < 5; i++) {
    kernel.spawn(
      function* (sys) {
        for (;;) {
          low++;
          yield* sys.yield();
        }
      },
      { priority: "low" },
    );
  }
  kernel.runSlice(10_000);
  // One promotion per level every 64 switches: about 150 turns, three levels and five tasks apart.
  expect(low).toBeGreaterThan(100);
  expect(low).toBeLessThan(200);
});

test("a task that never waits gives way when its turn is used up", () => {
  const turns = resultOf(function* (sys) {
    const box = sys.mailbox<number>({ capacity: 2000 });
    let others = 0;
    sys.spawn(function* (sys) {
      for (let i = 0; i < 3; i++) {
        others++;
        yield* sys.yield();
      }
    });
    for (let i = 0; i < 700; i++) yield* sys.send(box, i);
    for (let i = 0; i < 700; i++) if ((yield* sys.receive(box)) !== i) throw new RangeError("out of order");
    return others;
  });
  expect(turns).toBe(3);
});

test("only the shell may make system tasks, and unknown priorities are refused", () => {
  const { exit } = run(function* (sys) {
    const codes: string[] = [];
    for (const priority of ["system", "urgent", "toString"]) {
      try {
        sys.spawn(function* () {}, { priority: priority as Priority });
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    }
    return codes;
  });
  expect(exit).toEqual({ kind: "ok", value: Array(3).fill("kernel.bad-option") });
});

test("H1: sleepers wake in order of deadline, equal deadlines in order of sleeping, and sleep costs its time", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 200 }), (naps) => {
      const { kernel, clock } = createTestKernel();
      const woken: { nap: number; i: number; at: number }[] = [];
      for (const [i, nap] of naps.entries()) {
        kernel.spawn(function* (sys) {
          yield* sys.sleep(nap);
          woken.push({ nap, i, at: sys.now() });
        });
      }
      runToCompletion(kernel, clock);
      const expected = naps.map((nap, i) => ({ nap, i, at: nap })).sort((a, b) => a.nap - b.nap || a.i - b.i);
      expect(woken).toEqual(expected);
    }),
  );
});

test("H2: killed sleepers leave the timer queue, whichever they are", () => {
  const nap = fc.record({ ms: fc.integer({ min: 1, max: 40 }), killed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(nap, { maxLength: 100 }), (naps) => {
      const { kernel, clock } = createTestKernel();
      const woken: number[] = [];
      const ids = naps.map(({ ms }, i) =>
        kernel.spawn(function* (sys) {
          yield* sys.sleep(ms);
          woken.push(i);
        }),
      );
      kernel.runSlice(1000);
      for (const [i, { killed }] of naps.entries()) if (killed) kernel.kill(ids[i]!);
      kernel.runSlice(1000);
      expect(kernel.dumpState().timers).toBe(naps.filter(({ killed }) => !killed).length);
      runToCompletion(kernel, clock);
      const survivors = naps.map(({ ms, killed }, i) => ({ ms, killed, i })).filter(({ killed }) => !killed);
      expect(woken).toEqual(survivors.sort((a, b) => a.ms - b.ms || a.i - b.i).map(({ i }) => i));
    }),
  );
});

test("the next deadline is told to the shell, and nothing runs before it", () => {
  const { kernel, clock } = createTestKernel();
  let done = false;
  kernel.spawn(function* (sys) {
    yield* sys.sleep(7);
    done = true;
  });
  expect(kernel.runSlice()).toBe("idle");
  expect(kernel.nextDeadlineMs()).toBe(7);
  clock.advance(6.5);
  expect([kernel.runSlice(), done]).toEqual(["idle", false]);
  clock.advance(0.5);
  kernel.runSlice();
  expect([done, kernel.nextDeadlineMs()]).toEqual([true, undefined]);
});

test("the same program and seed give the same trace", () => {
  const trace = () =>
    run(function* (sys) {
      const box = sys.mailbox<number>();
      for (let i = 0; i < 4; i++) {
        sys.spawn(
          function* (sys, out) {
            yield* sys.sleep(sys.random(1)[0]! % 5);
            yield* sys.send(out, i);
          },
          { give: [box] },
        );
      }
      for (let i = 0; i < 4; i++) yield* sys.receive(box);
    }).kernel.trace();
  expect(trace()).toEqual(trace());
});
