import type { Handle, Kernel } from "@glia-os/kernel";
import {
  type DrainReport,
  type SchedulableJob,
  Scheduler,
  type SchedulerOptions,
} from "@glia-os/kernel/jobs";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

function nap(ms: number, more: Omit<SchedulableJob<number>, "run"> = {}): SchedulableJob<number> {
  return {
    ...more,
    *run(sys) {
      yield* sys.sleep(ms);
      return ms;
    },
  };
}

function desk(concurrency = 1, capacity = 64, options: SchedulerOptions = {}) {
  const { kernel, clock } = createTestKernel();
  const scheduler = Scheduler.builder(options).registerQueue("main", { concurrency, capacity }).build(kernel);
  return { kernel, clock, scheduler };
}

const flaky = () => Object.assign(new RangeError("busy"), { retryable: true });

test("DR1, DR2: a drain lets queued, running and retried jobs end in order, and takes nothing more", () => {
  const { kernel, clock, scheduler } = desk();
  let tries = 0;
  const handles = [
    scheduler.submit("main", nap(10)),
    scheduler.submit("main", {
      retry: { attempts: 3, baseMs: 100 },
      *run() {
        if (++tries < 3) throw flaky();
        return tries;
      },
    }),
    scheduler.submit("main", nap(20)),
  ];
  kernel.runSlice();
  const drain = scheduler.drain();
  const reports: DrainReport[] = [];
  drain.onEnd((report) => reports.push(report));
  expect(codeOf(() => scheduler.submit("main", nap(1)))).toBe("kernel.draining");
  expect(drain.report).toBeUndefined();
  const waiter = kernel.spawn((sys) => drain.wait(sys));
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(handles.map(({ outcome }) => outcome)).toEqual([10, 3, 20].map((value) => ({ kind: "ok", value })));
  drain.onEnd((report) => reports.push(report));
  const report = { ended: 3, cancelled: 0 };
  expect([reports, kernel.exitOf(waiter)]).toEqual([[report, report], { kind: "ok", value: report }]);
  expect(codeOf(() => scheduler.submit("main", nap(1)))).toBe("kernel.draining");
});

test("DR1: a task that waits for room is refused when the drain begins, and takes no place along", () => {
  const { kernel, clock, scheduler } = desk(1, 1);
  scheduler.submit("main", nap(10));
  scheduler.submit("main", nap(10));
  const waiting = kernel.spawn((sys) => scheduler.submitWhenRoom(sys, "main", nap(1)));
  kernel.runSlice();
  const drain = scheduler.drain();
  const late = kernel.spawn((sys) => scheduler.submitWhenRoom(sys, "main", nap(1)));
  expect(runToCompletion(kernel, clock)).toBe("ended");
  for (const task of [waiting, late])
    expect(kernel.exitOf(task)).toMatchObject({ kind: "failed", error: { code: "kernel.draining" } });
  expect([drain.report, scheduler.pressure("main")]).toEqual([{ ended: 2, cancelled: 0 }, 0]);
});

test("DR3: at the deadline the rest is cancelled, what ignores that is killed after the grace time, and the report counts", () => {
  const { kernel, clock, scheduler } = desk(3, 64, { graceMs: 50 });
  let cleaned = false;
  const polite = scheduler.submit("main", {
    *run(sys) {
      try {
        yield* sys.sleep(1e6);
      } finally {
        cleaned = true;
      }
    },
  });
  const stubborn = scheduler.submit("main", {
    *run(sys) {
      for (;;) {
        try {
          yield* sys.sleep(1e6);
        } catch {
          // Goes on as if nothing had been asked.
        }
      }
    },
  });
  const quick = scheduler.submit("main", nap(10));
  const queued = scheduler.submit("main", nap(1e6));
  const drain = scheduler.drain(100);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([polite, stubborn, quick, queued].map(({ outcome }) => outcome?.kind)).toEqual([
    "cancelled",
    "killed",
    "ok",
    "cancelled",
  ]);
  expect([drain.report, cleaned, clock.monotonicMs()]).toEqual([{ ended: 1, cancelled: 3 }, true, 150]);
});

test("draining twice is one drain with the earlier deadline; one with nothing to do has ended at once", () => {
  const { kernel, clock, scheduler } = desk();
  scheduler.submit("main", nap(1e6));
  const drain = scheduler.drain(5000);
  expect(scheduler.drain(100)).toBe(drain);
  expect(scheduler.drain()).toBe(drain);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([drain.report, clock.monotonicMs()]).toEqual([{ ended: 0, cancelled: 1 }, 100]);
  expect(desk().scheduler.drain(5).report).toEqual({ ended: 0, cancelled: 0 });
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(codeOf(() => desk().scheduler.drain(bad))).toBe("kernel.bad-duration");
});

test("a drain ends also when the kernel shuts down, the scheduler is closed or its jobs are cancelled meanwhile", () => {
  const ways: ((kernel: Kernel, scheduler: Scheduler) => unknown)[] = [
    (kernel) => kernel.shutdown(10),
    (_, scheduler) => scheduler.close(),
    (_, scheduler) => scheduler.find(1)?.cancel(),
  ];
  for (const way of ways) {
    const { kernel, clock, scheduler } = desk();
    scheduler.submit("main", nap(1e6));
    const drain = scheduler.drain(5000);
    kernel.runSlice();
    way(kernel, scheduler);
    expect(runToCompletion(kernel, clock)).toBe("ended");
    expect(drain.report).toEqual({ ended: 1, cancelled: 0 });
    expect(clock.monotonicMs()).toBeLessThan(5000);
  }
});

test("DR2, DR3: whatever jobs there are and whenever the deadline is, every job ends once and the report counts them all", () => {
  const jobs = fc.array(fc.record({ ms: fc.nat(50), fails: fc.nat(2) }), { maxLength: 12 });
  fc.assert(
    fc.property(jobs, fc.nat(200), fc.integer({ min: 1, max: 3 }), (jobs, timeoutMs, concurrency) => {
      const { kernel, clock, scheduler } = desk(concurrency, 64, { graceMs: 10 });
      let ends = 0;
      for (const { ms, fails } of jobs) {
        let tries = 0;
        const handle = scheduler.submit("main", {
          retry: { attempts: 3, baseMs: 5 },
          *run(sys) {
            yield* sys.sleep(ms);
            if (tries++ < fails) throw flaky();
          },
        });
        handle.onEnd(() => ends++);
      }
      const drain = scheduler.drain(timeoutMs);
      expect(runToCompletion(kernel, clock)).toBe("ended");
      expect([ends, scheduler.live]).toEqual([jobs.length, 0]);
      const { ended, cancelled } = drain.report!;
      expect(ended + cancelled).toBe(jobs.length);
      expect(clock.monotonicMs()).toBeLessThanOrEqual(timeoutMs + 10);
    }),
  );
});

test("a kernel that drains lets its tasks go on and spawn, refuses the shell, and is clean when they end in time", () => {
  const { kernel, clock } = createTestKernel();
  const ends: string[] = [];
  kernel.spawn(function* (sys) {
    yield* sys.sleep(50);
    const child = sys.spawn(function* (sys) {
      yield* sys.sleep(50);
      ends.push("child");
    });
    yield* sys.wait(child);
    ends.push("parent");
  });
  kernel.runSlice();
  kernel.shutdown(10, 1000);
  expect(kernel.shutdownState).toBe("ending");
  expect(codeOf(() => kernel.spawn(function* () {}))).toBe("kernel.shutting-down");
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([ends, clock.monotonicMs(), kernel.shutdownState]).toEqual([["child", "parent"], 100, "clean"]);
  expect(codeOf(() => kernel.spawn(function* () {}))).toBe("kernel.shutting-down");
});

test("after the time to drain every task is cancelled, nothing is spawned any more, and the rest is killed", () => {
  const { kernel, clock } = createTestKernel();
  const codes: string[] = [];
  const never = function* (sys: Parameters<Parameters<Kernel["spawn"]>[0]>[0], box: Handle) {
    try {
      yield* sys.receive(box);
    } finally {
      codes.push(codeOf(() => sys.spawn(function* () {})));
    }
  };
  kernel.spawn((sys, box) => never(sys, box!), { give: [kernel.mailbox()] });
  kernel.shutdown(10, 1000);
  runToCompletion(kernel, clock);
  expect([codes, clock.monotonicMs(), kernel.shutdownState]).toEqual([
    ["kernel.shutting-down"],
    1000,
    "clean",
  ]);
});

test("while it drains, a second shutdown without a time to drain cancels at once; later ones change nothing", () => {
  const { kernel, clock } = createTestKernel();
  const task = kernel.spawn(function* (sys) {
    yield* sys.sleep(1e6);
  });
  kernel.runSlice();
  kernel.shutdown(10, 1e5);
  kernel.shutdown(10);
  kernel.shutdown(1e6, 1e6);
  runToCompletion(kernel, clock);
  expect([kernel.exitOf(task)?.kind, clock.monotonicMs(), kernel.shutdownState]).toEqual([
    "cancelled",
    0,
    "clean",
  ]);
  for (const bad of [-1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(codeOf(() => kernel.shutdown(1, bad))).toBe("kernel.bad-duration");
});
