import { Budget, type Routine, type Sys, type TaskId } from "@glia-os/kernel";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf, run } from "./run.ts";

test("B2: a task over its budget is throttled until the period ends, others run on, and it goes on where it was", () => {
  const { kernel, clock } = createTestKernel();
  const budget = new Budget({ syscalls: 10, periodMs: 100 });
  const done: [number, number][] = [];
  const busy = kernel.spawn(
    function* (sys) {
      for (let i = 1; i <= 30; i++) {
        yield* sys.yield();
        done.push([i, clock.monotonicMs()]);
      }
      return "all";
    },
    { budget },
  );
  let others = 0;
  kernel.spawn(function* (sys) {
    for (let i = 0; i < 1000; i++) {
      others++;
      yield* sys.yield();
    }
  });
  expect(kernel.runSlice(100_000)).toBe("idle");
  const dumped = kernel.dumpState().tasks.find(({ id }) => id === busy)!;
  expect([dumped.state, dumped.deadlineMs, dumped.waitsIn, others]).toEqual(["throttled", 100, "", 1000]);
  expect(kernel.nextDeadlineMs()).toBe(100);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(kernel.exitOf(busy)).toEqual({ kind: "ok", value: "all" });
  expect(done.map(([, at]) => at)).toEqual([
    ...Array(9).fill(0),
    ...Array(10).fill(100),
    ...Array(10).fill(200),
    300,
  ]);
  expect([kernel.counters().throttled, budget.spent.syscalls]).toEqual([3, 30]);
});

test("T2: throttled is a state of the table: running goes to it, ready and cancelled follow it", () => {
  const seen: string[] = [];
  const { kernel, clock } = createTestKernel(1, {
    observer: { transition: (_, from, to) => seen.push(`${from}>${to}`) },
  });
  kernel.spawn(
    function* (sys) {
      for (let i = 0; i < 3; i++) yield* sys.yield();
    },
    { budget: new Budget({ syscalls: 1, periodMs: 10 }) },
  );
  runToCompletion(kernel, clock);
  expect(seen).toContain("running>throttled");
  expect(seen).toContain("throttled>ready");
});

test("a result that was at hand is not lost by being throttled", () => {
  const { kernel, clock } = createTestKernel();
  const box = kernel.mailbox<number>();
  for (let i = 0; i < 50; i++) kernel.trySend(box, i);
  const got: number[] = [];
  kernel.spawn(
    function* (sys, box) {
      for (let i = 0; i < 50; i++) got.push((yield* sys.receive(box)) as number);
    },
    { give: [box], budget: new Budget({ syscalls: 3, periodMs: 7 }) },
  );
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(got).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

test("B3: over any number of periods no more passes than their limits and one turn", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 40 }),
      (syscalls, burst, periods) => {
        const { kernel, clock } = createTestKernel();
        const budget = new Budget({ syscalls, periodMs: 10 });
        kernel.spawn(
          function* (sys) {
            for (;;) {
              // These do not end a turn, so they overrun the limit.
              for (let i = 0; i < burst; i++) sys.getTid();
              yield* sys.yield();
            }
          },
          { budget },
        );
        for (let i = 0; i < periods; i++) {
          expect(kernel.runSlice(100_000)).toBe("idle");
          clock.advanceTo(kernel.nextDeadlineMs()!);
        }
        const passed = clock.monotonicMs() / 10;
        expect(budget.spent.syscalls).toBeLessThanOrEqual(passed * syscalls + burst + 1);
        expect(budget.spent.syscalls).toBeGreaterThan((passed - 1) * syscalls);
      },
    ),
  );
});

test("what was not used is not saved up", () => {
  const { kernel, clock } = createTestKernel();
  const budget = new Budget({ syscalls: 5, periodMs: 10 });
  const at: number[] = [];
  kernel.spawn(
    function* (sys) {
      yield* sys.sleep(1000);
      for (let i = 0; i < 12; i++) {
        yield* sys.yield();
        at.push(clock.monotonicMs());
      }
    },
    { budget },
  );
  runToCompletion(kernel, clock);
  expect(at).toEqual([...Array(4).fill(1000), ...Array(5).fill(1010), ...Array(3).fill(1020)]);
});

test("a budget in milliseconds charges the time a turn ran, and makes the task pay it back", () => {
  const { kernel, clock } = createTestKernel();
  const budget = new Budget({ cpuMs: 5, periodMs: 100 });
  const starts: number[] = [];
  kernel.spawn(
    function* (sys) {
      for (let i = 0; i < 3; i++) {
        starts.push(clock.monotonicMs());
        clock.advance(12); // It computes for 12 ms: more than twice its limit, so two periods pay for it.
        yield* sys.sleep(0);
      }
    },
    { budget },
  );
  runToCompletion(kernel, clock);
  expect(starts).toEqual([0, 200, 400]);
  expect(budget.spent.cpuMs).toBe(36);
});

test("B4: children spend from their parent's budget, and a shared budget is shared", () => {
  const { kernel, clock } = createTestKernel();
  const budget = new Budget({ syscalls: 20, periodMs: 10 });
  const own = new Budget({ syscalls: 1000, periodMs: 10 });
  const parent = kernel.spawn(
    function* (sys) {
      const children: TaskId[] = [];
      for (let i = 0; i < 4; i++) {
        children.push(
          sys.spawn(
            function* (sys) {
              for (let j = 0; j < 25; j++) yield* sys.yield();
            },
            i === 0 ? { budget: own } : {},
          ),
        );
      }
      for (const child of children) yield* sys.wait(child);
    },
    { budget },
  );
  runToCompletion(kernel, clock);
  expect(kernel.exitOf(parent)?.kind).toBe("ok");
  expect([budget.spent.syscalls, own.spent.syscalls]).toEqual([4 + 100 + 4, 25]);
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(40);
});

test("killing a throttled task unwinds it at once; cancelling one shows when its budget lets it run", () => {
  const log: string[] = [];
  const program = (name: string) =>
    function* (sys: import("@glia-os/kernel").Sys) {
      try {
        for (;;) yield* sys.yield();
      } finally {
        log.push(name);
      }
    };
  const { kernel, clock } = createTestKernel();
  const killed = kernel.spawn(program("killed"), { budget: new Budget({ syscalls: 5, periodMs: 1000 }) });
  const cancelled = kernel.spawn(program("cancelled"), {
    budget: new Budget({ syscalls: 5, periodMs: 1000 }),
  });
  expect(kernel.runSlice(1000)).toBe("idle");
  kernel.kill(killed, "enough");
  kernel.cancel(cancelled, "enough");
  kernel.runSlice(1000);
  expect([log, clock.monotonicMs()]).toEqual([["killed"], 0]);
  expect(kernel.exitOf(killed)?.kind).toBe("killed");
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([log, clock.monotonicMs()]).toEqual([["killed", "cancelled"], 1000]);
  expect(kernel.exitOf(cancelled)?.kind).toBe("cancelled");
  expect(kernel.dumpState().timers).toBe(0);
});

test("a task that is throttled before it ever ran is cancelled at once", () => {
  const { kernel } = createTestKernel();
  const budget = new Budget({ syscalls: 1, periodMs: 1000 });
  kernel.spawn(
    function* (sys) {
      for (;;) yield* sys.yield();
    },
    { budget },
  );
  const late = kernel.spawn(function* () {}, { budget });
  kernel.runSlice(1000);
  expect(kernel.dumpState().tasks.map(({ state }) => state)).toEqual(["throttled", "throttled"]);
  kernel.cancel(late);
  expect(kernel.exitOf(late)?.kind).toBe("cancelled");
  expect(kernel.dumpState().timers).toBe(1);
});

test("a bare yield under a budget is thrown at the yield as everywhere", () => {
  const { exit } = run(function* (sys) {
    const child = sys.spawn(
      function* () {
        yield 1 as never;
      },
      { budget: new Budget({ syscalls: 100, periodMs: 1 }) },
    );
    return yield* sys.wait(child);
  });
  expect(exit).toMatchObject({ kind: "ok", value: { kind: "failed", error: { code: "kernel.bad-yield" } } });
});

test("the quantum sets how many syscalls a turn has; a task can only lower it for its children", () => {
  const { kernel } = createTestKernel();
  const served = { a: 0, b: 0 };
  const box = kernel.mailbox<number>({ capacity: 100_000, high: 100_000 });
  const sender = (name: "a" | "b") =>
    function* (sys: import("@glia-os/kernel").Sys, box: never) {
      for (;;) {
        served[name]++;
        yield* sys.send(box, 0);
      }
    };
  kernel.spawn(sender("a"), { quantum: 10, give: [box] });
  kernel.spawn(sender("b"), { quantum: 30, give: [box] });
  kernel.runSlice(200);
  expect([served.a, served.b].map((n) => Math.round(n / 100))).toEqual([10, 30]);
  const { exit } = run(function* (sys) {
    const child = (quantum: number) => codeOf(() => sys.spawn(function* () {}, { quantum }));
    return [child(256), child(257), child(0), child(1.5)];
  });
  expect(exit).toEqual({
    kind: "ok",
    value: ["nothing was thrown", "kernel.bad-option", "kernel.bad-option", "kernel.bad-option"],
  });
});

test("bad budgets are refused, and so are more than 16 above each other", () => {
  for (const options of [
    { periodMs: 10 },
    { periodMs: 0, syscalls: 1 },
    { periodMs: Number.NaN, syscalls: 1 },
    { periodMs: 1, syscalls: 0 },
    { periodMs: 1, syscalls: 1.5 },
    { periodMs: 1, cpuMs: -1 },
    { periodMs: 1, cpuMs: Number.NaN },
  ])
    expect(
      codeOf(() => new Budget(options)),
      JSON.stringify(options),
    ).toBe("kernel.bad-option");
  const { kernel, clock } = createTestKernel();
  expect(codeOf(() => kernel.spawn(function* () {}, { budget: { syscalls: 1 } as never }))).toBe(
    "kernel.bad-option",
  );
  let depth = 0;
  let code = "";
  function* nest(sys: import("@glia-os/kernel").Sys): Generator<never, void, unknown> {
    depth++;
    code = codeOf(() => sys.spawn(nest, { budget: new Budget({ syscalls: 100, periodMs: 1 }) }));
  }
  kernel.spawn(nest, { budget: new Budget({ syscalls: 100, periodMs: 1 }) });
  runToCompletion(kernel, clock);
  expect([depth, code, kernel.counters().spawned]).toEqual([16, "kernel.bad-option", 16]);
});

test("throttling is counted in task_budget_throttle_total", () => {
  const counted: Record<string, number> = {};
  const meter = {
    count: (name: string, value = 1) => {
      counted[name] = (counted[name] ?? 0) + value;
    },
    observe: () => {},
    gauge: () => {},
  };
  const { kernel, clock } = createTestKernel(1, { meter });
  kernel.spawn(
    function* (sys) {
      for (let i = 0; i < 5; i++) yield* sys.yield();
    },
    { budget: new Budget({ syscalls: 2, periodMs: 1 }) },
  );
  runToCompletion(kernel, clock);
  expect(counted["task_budget_throttle_total"]).toBe(2);
});

test("B5: a budget made with each limits every task alone: a child gets a new one with the same limits", () => {
  const { kernel, clock } = createTestKernel();
  const budget = new Budget({ syscalls: 10, periodMs: 100, each: true });
  const doneAt: number[] = [];
  function* busy(sys: Sys, depth: number): Routine<void> {
    if (depth > 0) sys.spawn((sys) => busy(sys, depth - 1));
    for (let i = 0; i < 15; i++) yield* sys.yield();
    doneAt.push(clock.monotonicMs());
  }
  kernel.spawn((sys) => busy(sys, 30), { budget });
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(doneAt).toEqual(Array(31).fill(100));
  expect(kernel.counters().throttled).toBe(31);
  // Its own: one spawn and 15 yields.
  expect(budget.spent.syscalls).toBe(16);
});
