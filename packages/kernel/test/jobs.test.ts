import type { Exit, Handle, Kernel, Sys } from "@glia-os/kernel";
import {
  type JobHandle,
  type PressureChange,
  type QueueOptions,
  type SchedulableJob,
  Scheduler,
  type SchedulerOptions,
} from "@glia-os/kernel/jobs";
import { createTestKernel, runToCompletion, type VirtualClock } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOf } from "./run.ts";

interface Desk {
  readonly kernel: Kernel;
  readonly clock: VirtualClock;
  readonly scheduler: Scheduler;
}

function desk(
  queues: Readonly<Record<string, QueueOptions>> = { main: {} },
  options: SchedulerOptions = {},
): Desk {
  const { kernel, clock } = createTestKernel();
  const builder = Scheduler.builder(options);
  for (const [name, queue] of Object.entries(queues)) builder.registerQueue(name, queue);
  return { kernel, clock, scheduler: builder.build(kernel) };
}

const flaky = () => Object.assign(new RangeError("busy"), { retryable: true });

function job<Result>(
  run: SchedulableJob<Result>["run"],
  more: Omit<SchedulableJob<Result>, "run"> = {},
): SchedulableJob<Result> {
  return { ...more, run };
}

/** A job that takes a while. */
function nap(ms: number, more: Omit<SchedulableJob<number>, "run"> = {}): SchedulableJob<number> {
  return job(function* (sys) {
    yield* sys.sleep(ms);
    return ms;
  }, more);
}

test("a job runs as a task of its queue's priority, and its handle tells state, attempts and outcome", () => {
  const { kernel, clock, scheduler } = desk({ main: { priority: "high" } });
  const handle = scheduler.submit("main", nap(10, { name: "nap" }));
  expect([handle.state, handle.queue, handle.name, handle.attempts]).toEqual(["running", "main", "nap", 1]);
  kernel.runSlice();
  expect(kernel.dumpState().tasks).toMatchObject([{ name: "nap", priority: "high", state: "sleeping" }]);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect([handle.state, handle.outcome]).toEqual(["finished", { kind: "ok", value: 10 }]);
});

test("B2: any number of tasks wait for a job, before and after its end; listeners hear of it once", () => {
  const { kernel, clock, scheduler } = desk();
  const handle = scheduler.submit("main", nap(10));
  const seen: unknown[] = [];
  for (const delay of [0, 5, 50]) {
    kernel.spawn(function* (sys) {
      yield* sys.sleep(delay);
      const outcome = yield* handle.wait(sys);
      seen.push([clock.monotonicMs(), outcome.kind === "ok" && outcome.value]);
    });
  }
  handle.onEnd((outcome) => seen.push(outcome.kind));
  runToCompletion(kernel, clock);
  handle.onEnd((outcome) => seen.push(`late ${outcome.kind}`));
  expect(seen).toEqual(["ok", [10, 10], [10, 10], [50, 10], "late ok"]);
});

test("J1: no more attempts run than the scheduler's and the queue's concurrency, and each queue is first in, first out", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      fc.array(fc.record({ queue: fc.nat(3), ms: fc.nat(20) }), { maxLength: 60 }),
      (concurrency, limits, jobs) => {
        const { kernel, clock, scheduler } = desk(
          Object.fromEntries(limits.map((limit, i) => [`q${i}`, { concurrency: limit }])),
          { concurrency },
        );
        const running = limits.map(() => 0);
        const started: number[][] = limits.map(() => []);
        for (const [i, { queue, ms }] of jobs.entries()) {
          const q = queue % limits.length;
          scheduler.submit(
            `q${q}`,
            job(function* (sys) {
              started[q]!.push(i);
              running[q]!++;
              expect(running[q]).toBeLessThanOrEqual(limits[q]!);
              expect(running.reduce((a, b) => a + b)).toBeLessThanOrEqual(concurrency);
              yield* sys.sleep(ms);
              running[q]!--;
            }),
          );
        }
        expect(runToCompletion(kernel, clock)).toBe("ended");
        for (const order of started) expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect([scheduler.live, started.flat().length]).toEqual([0, jobs.length]);
      },
    ),
    { numRuns: 60 },
  );
});

test("J2: backlogged queues are served by weight within |Si/wi - Sj/wj| <= li/wi + lj/wj at every moment", () => {
  const flow = fc.record({
    weight: fc.integer({ min: 1, max: 8 }),
    costs: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 60, maxLength: 60 }),
  });
  fc.assert(
    fc.property(fc.array(flow, { minLength: 2, maxLength: 4 }), (flows) => {
      const { kernel, clock, scheduler } = desk(
        Object.fromEntries(flows.map(({ weight }, i) => [`q${i}`, { weight }])),
        { concurrency: 1 },
      );
      // The first job holds the only place until every queue is backlogged.
      scheduler.submit("q0", nap(1));
      const left = flows.map(({ costs }) => costs.length);
      const served = flows.map(() => 0);
      let checks = 0;
      for (const [i, { costs }] of flows.entries()) {
        for (const cost of costs) {
          scheduler.submit(
            `q${i}`,
            job(
              function* (sys) {
                yield* sys.sleep(cost);
                served[i]! += cost;
                left[i]!--;
                for (let a = 0; a < flows.length; a++) {
                  for (let b = 0; b < a; b++) {
                    if (left[a] === 0 || left[b] === 0) continue;
                    const [x, y] = [flows[a]!, flows[b]!];
                    const bound = Math.max(...x.costs) / x.weight + Math.max(...y.costs, 1) / y.weight;
                    // The job that made room was work of q0 as well: one more of its cost.
                    const slack = a === 0 || b === 0 ? 1 / flows[0]!.weight : 0;
                    expect(Math.abs(served[a]! / x.weight - served[b]! / y.weight)).toBeLessThanOrEqual(
                      bound + slack + 1e-9,
                    );
                    checks++;
                  }
                }
              },
              { cost },
            ),
          );
        }
      }
      runToCompletion(kernel, clock);
      expect(checks).toBeGreaterThan(50);
    }),
    { numRuns: 60 },
  );
});

test("a newcomer among queues neither starves the others nor is starved", () => {
  const { kernel, clock, scheduler } = desk({ old: { capacity: 2000 }, fresh: {} }, { concurrency: 1 });
  const order: string[] = [];
  const tick = (name: string) =>
    job(function* (sys) {
      order.push(name);
      yield* sys.sleep(1);
    });
  for (let i = 0; i < 1000; i++) scheduler.submit("old", tick("old"));
  kernel.spawn(function* (sys) {
    yield* sys.sleep(500.5);
    order.length = 0;
    for (let i = 0; i < 100; i++) scheduler.submit("fresh", tick("fresh"));
  });
  runToCompletion(kernel, clock);
  expect(order.slice(0, 40).filter((name) => name === "fresh").length).toBe(20);
});

test("a queue charged by measured syscalls gets its share of work done, not of jobs started", () => {
  const { kernel, clock, scheduler } = desk(
    { heavy: { charge: "syscalls" }, light: { charge: "syscalls" } },
    { concurrency: 1 },
  );
  const started = { heavy: 0, light: 0 };
  const work = (name: "heavy" | "light", calls: number) =>
    job(function* (sys) {
      started[name]++;
      for (let i = 0; i < calls; i++) yield* sys.sleep(1);
    });
  for (let i = 0; i < 500; i++) {
    scheduler.submit("heavy", work("heavy", 50));
    scheduler.submit("light", work("light", 5));
  }
  while (started.heavy < 20) {
    if (kernel.runSlice(10) === "idle") clock.advanceTo(kernel.nextDeadlineMs()!);
  }
  expect(started.light).toBeGreaterThan(180);
  expect(started.light).toBeLessThan(220);
});

test("a full queue refuses with a typed error and changes nothing; unknown queues and bad jobs are refused", () => {
  const { kernel, scheduler } = desk({ main: { concurrency: 1, capacity: 2 } });
  for (let i = 0; i < 3; i++) scheduler.submit("main", nap(10));
  const before = kernel.dumpState();
  expect(() => scheduler.submit("main", nap(1, { deadlineMs: 5 }))).toThrow(
    expect.objectContaining({ code: "kernel.queue-full", retryable: true }),
  );
  expect({ ...kernel.dumpState(), queues: [{ ...kernel.dumpState().queues[0]!, refused: 0 }] }).toEqual(
    before,
  );
  expect(() => scheduler.submit("mian", nap(1))).toThrow("no queue is called mian; there are main");
  const { scheduler: other } = desk();
  for (const bad of [
    undefined as never,
    {} as never,
    nap(1, { name: "x".repeat(129) }),
    nap(1, { idempotencyKey: "" }),
    nap(1, { idempotencyKey: "x".repeat(257) }),
    nap(1, { cost: 0 }),
    nap(1, { cost: Number.NaN }),
    nap(1, { retry: { attempts: 0 } }),
    nap(1, { idempotencyKey: "k", payload: () => 1 }),
  ])
    expect(codeOf(() => other.submit("main", bad))).toBe("kernel.bad-option");
  for (const deadlineMs of [-1, Number.NaN])
    expect(codeOf(() => other.submit("main", nap(1, { deadlineMs })))).toBe("kernel.bad-duration");
  expect([other.live, other.keys, other.dump()[0]!.submitted]).toEqual([0, 0, 0]);
});

test("bad queues and schedulers are refused", () => {
  const build = (name: string, queue: object, options: object = {}) =>
    codeOf(() => Scheduler.builder(options).registerQueue(name, queue).build(createTestKernel().kernel));
  for (const queue of [
    { concurrency: 0 },
    { concurrency: 1.5 },
    { capacity: 0 },
    { capacity: 2 ** 30 },
    { weight: 0 },
    { weight: Number.NaN },
    { priority: "urgent" },
    { priority: "toString" },
    { charge: "tokens" },
  ])
    expect(build("q", queue), JSON.stringify(queue)).toBe("kernel.bad-option");
  for (const name of ["", "x".repeat(65)]) expect(build(name, {})).toBe("kernel.bad-option");
  for (const options of [{ concurrency: 0 }, { idempotencyKeys: 0 }])
    expect(build("q", {}, options)).toBe("kernel.bad-option");
  expect(build("q", {}, { graceMs: -1 })).toBe("kernel.bad-duration");
  expect(codeOf(() => Scheduler.builder().build(createTestKernel().kernel))).toBe("kernel.bad-option");
  expect(codeOf(() => Scheduler.builder().registerQueue("a").registerQueue("a"))).toBe("kernel.bad-option");
  const builder = Scheduler.builder();
  for (let i = 0; i < 256; i++) builder.registerQueue(`q${i}`);
  expect(codeOf(() => builder.registerQueue("one more"))).toBe("kernel.bad-option");
});

test("Q2: tasks that wait for room get it in order, nobody passes them, and one that is killed leaves its place", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, capacity: 1 } });
  const order: string[] = [];
  const mark = (name: string) =>
    job(function* (sys) {
      order.push(name);
      yield* sys.sleep(10);
    });
  scheduler.submit("main", mark("running"));
  scheduler.submit("main", mark("queued"));
  const waiters = ["a", "b", "c"].map((name) =>
    kernel.spawn(function* (sys) {
      const handle = yield* scheduler.submitWhenRoom(sys, "main", mark(name));
      yield* handle.wait(sys);
    }),
  );
  kernel.runSlice();
  expect(scheduler.dump()[0]).toMatchObject({ waitingForRoom: 3, queued: 1 });
  kernel.kill(waiters[1]!);
  // Until those in line were served there is no room for others.
  clock.advance(10);
  while (kernel.runSlice(1) === "more")
    expect(codeOf(() => scheduler.submit("main", mark("pushy")))).toBe("kernel.queue-full");
  runToCompletion(kernel, clock);
  expect(order).toEqual(["running", "queued", "a", "c"]);
  expect(scheduler.dump()[0]).toMatchObject({ waitingForRoom: 0, queued: 0, running: 0, pressure: 0 });
});

test("Q2: a submitter killed after a place was promised to it does not take the place along", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, capacity: 1 } });
  const first = scheduler.submit("main", nap(1000));
  const queued = scheduler.submit("main", nap(1));
  const waiter = kernel.spawn(function* (sys) {
    yield* scheduler.submitWhenRoom(sys, "main", nap(1));
  });
  kernel.runSlice();
  queued.cancel();
  expect(scheduler.dump()[0]).toMatchObject({ queued: 0, waitingForRoom: 0, pressure: 1 });
  kernel.kill(waiter);
  kernel.runSlice();
  expect(scheduler.pressure("main")).toBe(0);
  expect(scheduler.submit("main", nap(1)).state).toBe("queued");
  first.kill();
  expect(runToCompletion(kernel, clock)).toBe("ended");
});

test("Q2: the place of a submitter that was killed goes to the next in line", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, capacity: 1 } });
  scheduler.submit("main", nap(1000));
  const queued = scheduler.submit("main", nap(1));
  const [first] = ["first", "second"].map((name) =>
    kernel.spawn(function* (sys) {
      yield* scheduler.submitWhenRoom(sys, "main", nap(1, { name }));
    }),
  );
  kernel.runSlice();
  queued.cancel();
  kernel.kill(first!);
  kernel.runSlice();
  expect(clock.monotonicMs()).toBe(0);
  expect(scheduler.dump()[0]).toMatchObject({ queued: 1, waitingForRoom: 0, submitted: 3 });
});

test("a cancelled job is not tried again, even when it makes another failure of its cancellation", () => {
  const { kernel, clock, scheduler } = desk();
  const handle = scheduler.submit(
    "main",
    job(
      function* (sys) {
        try {
          yield* sys.sleep(1e6);
        } catch {
          throw flaky();
        }
      },
      { retry: { attempts: 9 } },
    ),
  );
  kernel.runSlice();
  handle.cancel();
  expect([runToCompletion(kernel, clock), handle.state, handle.attempts]).toEqual(["ended", "failed", 1]);
});

test("Q3: an observer hears once that pressure reached 0.8 and once that it fell below 0.5", () => {
  const gauges: number[] = [];
  let pauses = 0;
  const meter = {
    count: (name: string, value = 1) => {
      if (name === "backpressure_pauses_total") pauses += value;
    },
    observe: () => {},
    gauge: (name: string, value: number) => {
      if (name === "mayfly_queue_depth") gauges.push(value);
    },
  };
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, capacity: 10 } }, { meter });
  const heard: PressureChange[] = [];
  const stop = scheduler.onPressure("main", (change) => heard.push(change));
  scheduler.onPressure("main", () => {
    throw new RangeError("a bad observer");
  });
  for (let i = 0; i < 11; i++) scheduler.submit("main", nap(1));
  expect(heard).toEqual([{ queue: "main", value: 0.8, paused: true }]);
  expect(scheduler.pressure("main")).toBe(1);
  runToCompletion(kernel, clock);
  expect(heard).toEqual([
    { queue: "main", value: 0.8, paused: true },
    { queue: "main", value: 0.4, paused: false },
  ]);
  stop();
  for (let i = 0; i < 11; i++) scheduler.submit("main", nap(1));
  expect([
    heard.length,
    pauses,
    Math.max(...gauges),
    codeOf(() => scheduler.onPressure("none", () => {})),
  ]).toEqual([2, 2, 10, "kernel.unknown-queue"]);
});

test("failed attempts are repeated after a backoff without holding a place, and the last error is kept", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1 } });
  const log: string[] = [];
  const handle = scheduler.submit(
    "main",
    job(
      function* (_, { number, payload }) {
        log.push(`attempt ${number} of ${payload} at ${clock.monotonicMs() > 0 ? "later" : "0"}`);
        if (number < 3) throw flaky();
        return "done";
      },
      { payload: "work", retry: { attempts: 5, baseMs: 1000 } },
    ),
  );
  scheduler.submit(
    "main",
    job(function* () {
      log.push(`other at ${clock.monotonicMs()}, while ${handle.state}`);
    }),
  );
  runToCompletion(kernel, clock);
  expect(log).toEqual([
    "attempt 1 of work at 0",
    "other at 0, while backing-off",
    "attempt 2 of work at later",
    "attempt 3 of work at later",
  ]);
  expect([handle.state, handle.attempts, (handle.lastError as Error).message]).toEqual([
    "finished",
    3,
    "busy",
  ]);
  const lost = scheduler.submit(
    "main",
    job(
      function* () {
        throw flaky();
      },
      { retry: { attempts: 2 } },
    ),
  );
  const fatal = scheduler.submit(
    "main",
    job(
      function* () {
        throw new TypeError("wrong");
      },
      { retry: { attempts: 9 } },
    ),
  );
  const silly = scheduler.submit(
    "main",
    job(
      function* () {
        throw flaky();
      },
      {
        retry: {
          retryable: () => {
            throw new RangeError("bad predicate");
          },
        },
      },
    ),
  );
  runToCompletion(kernel, clock);
  expect([lost.outcome, lost.attempts]).toEqual([
    { kind: "failed", error: expect.objectContaining({ message: "busy" }) },
    2,
  ]);
  expect([fatal.state, fatal.attempts, silly.state, silly.attempts]).toEqual(["failed", 1, "failed", 1]);
  expect(scheduler.dump()[0]).toMatchObject({
    retried: 3,
    finished: 2,
    failed: 3,
    backingOff: 0,
    running: 0,
  });
});

test("a deadline counts from the submission: it ends a job that waits, backs off or runs, and kills what does not stop", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1 }, other: {} }, { graceMs: 500 });
  const ends: [string, number][] = [];
  const track = (name: string, handle: JobHandle) =>
    handle.onEnd(() => ends.push([name, clock.monotonicMs()]));
  const running = scheduler.submit("main", nap(1000, { deadlineMs: 100 }));
  const waiting = scheduler.submit("main", nap(1, { deadlineMs: 50 }));
  const backing = scheduler.submit(
    "other",
    job(
      function* () {
        throw flaky();
      },
      {
        deadlineMs: 70,
        retry: { attempts: 1000, baseMs: 1e6, random: { uint32: () => 0x80000000 } as never },
      },
    ),
  );
  const stubborn = scheduler.submit(
    "other",
    job(
      function* (sys) {
        for (;;) {
          try {
            yield* sys.sleep(1e6);
          } catch {}
        }
      },
      { deadlineMs: 200 },
    ),
  );
  const intime = scheduler.submit("other", nap(10, { deadlineMs: 20 }));
  for (const [name, handle] of Object.entries({ running, waiting, backing, stubborn, intime }))
    track(name, handle);
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(ends).toEqual([
    ["intime", 10],
    ["waiting", 50],
    ["backing", 70],
    ["running", 100],
    ["stubborn", 700],
  ]);
  for (const handle of [running, waiting, backing, stubborn])
    expect(handle.outcome).toMatchObject({ kind: "failed", error: { code: "kernel.deadline-exceeded" } });
  expect(waiting.attempts).toBe(0);
});

test("I1: the same key and payload is the same job, before and after its end; another payload or queue is a conflict", () => {
  const { kernel, clock, scheduler } = desk({ main: {}, other: {} });
  let ran = 0;
  const pay = (payload: unknown) =>
    job(
      function* (sys) {
        ran++;
        yield* sys.sleep(1);
        return ran;
      },
      { idempotencyKey: "invoice-7", payload },
    );
  const first = scheduler.submit("main", pay({ to: "a", amount: 5, note: undefined }));
  expect(scheduler.submit("main", pay({ amount: 5, to: "a" }))).toBe(first);
  const conflict = (queue: string, payload: unknown) => codeOf(() => scheduler.submit(queue, pay(payload)));
  expect(conflict("main", { to: "a", amount: 6 })).toBe("kernel.idempotency-conflict");
  expect(conflict("other", { to: "a", amount: 5 })).toBe("kernel.idempotency-conflict");
  runToCompletion(kernel, clock);
  expect(scheduler.submit("main", pay({ to: "a", amount: 5 })).outcome).toEqual({ kind: "ok", value: 1 });
  expect([ran, conflict("main", undefined), scheduler.live]).toEqual([1, "kernel.idempotency-conflict", 0]);
});

test("I2: memory is bounded: the newest keys of ended jobs are kept, and all keys of jobs that live", () => {
  const { kernel, clock, scheduler } = desk({ main: { capacity: 100 } }, { idempotencyKeys: 3 });
  const keyed = (key: string, ms = 0) => scheduler.submit("main", nap(ms, { idempotencyKey: key }));
  const long = keyed("long", 1e6);
  const handles = ["a", "b", "c", "d", "e"].map((key, i) => keyed(key, i));
  kernel.runSlice();
  clock.advance(100);
  kernel.runSlice();
  expect([
    scheduler.keys,
    keyed("long", 1e6) === long,
    keyed("e") === handles[4],
    keyed("a") === handles[0],
  ]).toEqual([4, true, true, false]);
});

test("I3: a failure is what a repetition gets; a cancelled job frees its key", () => {
  const { kernel, clock, scheduler } = desk();
  const broken = () =>
    scheduler.submit(
      "main",
      job(
        function* () {
          throw new RangeError("broken");
        },
        { idempotencyKey: "broken" },
      ),
    );
  const failed = broken();
  const cancelled = scheduler.submit("main", nap(5, { idempotencyKey: "nap" }));
  cancelled.cancel();
  runToCompletion(kernel, clock);
  expect([broken() === failed, failed.state, cancelled.state]).toEqual([true, "failed", "cancelled"]);
  expect(scheduler.submit("main", nap(5, { idempotencyKey: "nap" }))).not.toBe(cancelled);
});

test("a key that is known needs no room", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, capacity: 1 } });
  const keyed = nap(5, { idempotencyKey: "k" });
  const first = scheduler.submit("main", keyed);
  scheduler.submit("main", nap(5));
  expect(scheduler.submit("main", keyed)).toBe(first);
  let same = false;
  kernel.spawn(function* (sys) {
    same = (yield* scheduler.submitWhenRoom(sys, "main", keyed)) === first;
  });
  kernel.runSlice();
  expect([same, runToCompletion(kernel, clock)]).toEqual([true, "ended"]);
});

test("jobs get the handles they name, also when they are tried again", () => {
  const { kernel, clock, scheduler } = desk();
  const box = kernel.mailbox<string>();
  scheduler.submit(
    "main",
    job(
      function* (sys: Sys, { number }, out: Handle) {
        yield* sys.send(out, `attempt ${number}`);
        if (number === 1) throw flaky();
      } as SchedulableJob["run"],
      { give: [box], retry: {} },
    ),
  );
  runToCompletion(kernel, clock);
  expect([kernel.tryReceive(box), kernel.tryReceive(box)]).toEqual(["attempt 1", "attempt 2"]);
});

test("dumpState shows the queues until the scheduler is closed; closing ends every job", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, priority: "low", capacity: 10 } });
  const handles = [nap(5), nap(5), nap(5)].map((work) => scheduler.submit("main", work));
  expect(kernel.dumpState().queues).toEqual([
    {
      name: "main",
      priority: "low",
      weight: 1,
      concurrency: 1,
      capacity: 10,
      queued: 2,
      running: 1,
      backingOff: 0,
      waitingForRoom: 0,
      pressure: 0.2,
      paused: false,
      submitted: 3,
      finished: 0,
      failed: 0,
      cancelled: 0,
      refused: 0,
      retried: 0,
    },
  ]);
  scheduler.close("closing");
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(kernel.dumpState().queues).toEqual([]);
  expect(handles.map(({ state }) => state)).toEqual(["cancelled", "cancelled", "cancelled"]);
});

test("J5: when the kernel shuts down every job ends, whatever it waits for, and nothing more is taken", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1 }, other: {} });
  const handles = [
    scheduler.submit("main", nap(1000)),
    scheduler.submit("main", nap(1000)),
    scheduler.submit("main", nap(1000, { deadlineMs: 5000 })),
    scheduler.submit(
      "other",
      job(
        function* () {
          throw flaky();
        },
        { retry: { baseMs: 1e6 } },
      ),
    ),
  ];
  kernel.runSlice();
  kernel.shutdown(1000);
  expect(codeOf(() => scheduler.submit("main", nap(1)))).toBe("kernel.shutting-down");
  runToCompletion(kernel, clock);
  expect([kernel.shutdownState, scheduler.live]).toEqual(["clean", 0]);
  expect(handles.map(({ state }) => state)).toEqual(Array(4).fill("cancelled"));
});

test("a job whose task cannot be made fails with the reason, and the queue goes on", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1 } });
  const bad = scheduler.submit("main", { run: () => 7 as never });
  const good = scheduler.submit("main", nap(1));
  runToCompletion(kernel, clock);
  expect([bad.outcome, good.state]).toMatchObject([
    { kind: "failed", error: { code: "kernel.not-a-program" } },
    "finished",
  ]);
});

// What Mayfly got wrong, as far as job queues can.

test("Mayfly: a cancellation never showed. Here it shows at once for a job that waits, and at its syscall for one that runs", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1 } });
  let seen: unknown;
  const running = scheduler.submit(
    "main",
    job(
      function* (sys) {
        try {
          yield* sys.sleep(1e6);
        } catch (error) {
          seen = (error as { reason: unknown }).reason;
          throw error;
        }
      },
      { retry: { attempts: 9, retryable: () => true } },
    ),
  );
  const waiting = scheduler.submit("main", nap(1));
  kernel.runSlice();
  expect([waiting.cancel("late"), waiting.state, waiting.cancel()]).toEqual([true, "cancelled", false]);
  expect([running.cancel("enough"), running.kill("twice")]).toEqual([true, true]);
  runToCompletion(kernel, clock);
  expect([running.state, running.attempts, clock.monotonicMs()]).toEqual(["cancelled", 1, 0]);
  const polite = scheduler.submit("main", nap(1e6));
  kernel.runSlice();
  polite.cancel("enough");
  runToCompletion(kernel, clock);
  expect([polite.outcome, seen]).toEqual([{ kind: "cancelled", reason: "enough" }, undefined]);
});

test("Mayfly: a body that returned or threw without Done hung the scheduler. Here every way out frees the place", () => {
  const { kernel, clock, scheduler } = desk({ main: { concurrency: 1, capacity: 100 } });
  const bodies: SchedulableJob["run"][] = [
    function* () {},
    function* () {
      throw new RangeError("no");
    },
    function* () {
      throw "a text";
    },
    function* (sys) {
      yield* sys.exit(4);
    },
    function* (sys) {
      sys.kill(sys.getTid());
    },
    function* () {
      yield 5 as never;
    },
    function* (sys) {
      sys.sleep(5);
    },
  ];
  const handles = bodies.map((run) => scheduler.submit("main", { run }));
  handles.push(scheduler.submit("main", nap(1)));
  expect(runToCompletion(kernel, clock)).toBe("ended");
  expect(handles.map(({ state }) => state)).toEqual([
    "finished",
    "failed",
    "failed",
    "finished",
    "cancelled",
    "failed",
    "failed",
    "finished",
  ]);
  expect(scheduler.dump()[0]).toMatchObject({ running: 0, queued: 0 });
});

test("Mayfly: its table of states was never pruned. Here nothing is kept of 20,000 ended jobs but by who holds their handles", () => {
  const { kernel, clock } = createTestKernel(1, { endedLimit: 100 });
  const scheduler = Scheduler.builder().registerQueue("main", { capacity: 1000 }).build(kernel);
  let ended = 0;
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 1000; i++) {
      const handle = scheduler.submit("main", nap(1, { deadlineMs: 10_000 }));
      handle.onEnd(() => ended++);
      if (i === 0) expect(scheduler.find(handle.id)).toBe(handle);
    }
    runToCompletion(kernel, clock);
  }
  const { tasks, timers, keys, shell } = kernel.dumpState();
  expect([ended, scheduler.live, scheduler.find(1), tasks.length, timers, keys, shell.length]).toEqual([
    20_000,
    0,
    undefined,
    0,
    0,
    0,
    0,
  ]);
});

test("the same submissions and seed give the same run", () => {
  const once = () => {
    const { kernel, clock, scheduler } = desk({ a: { weight: 3 }, b: {} }, { concurrency: 2 });
    const log: string[] = [];
    for (let i = 0; i < 40; i++) {
      scheduler.submit(
        i % 3 === 0 ? "a" : "b",
        job(
          function* (sys, { number }) {
            log.push(`${i}/${number} at ${clock.monotonicMs()}`);
            yield* sys.sleep(i % 7);
            if (i % 5 === number) throw flaky();
          },
          { retry: { attempts: 4 } },
        ),
      );
    }
    runToCompletion(kernel, clock);
    return log;
  };
  expect(once()).toEqual(once());
});

test("an outcome is an exit like any task's", () => {
  const { kernel, clock, scheduler } = desk();
  const outcomes: Exit[] = [];
  for (const run of [
    function* () {
      return 1;
    },
    function* () {
      throw new RangeError("x");
    },
  ])
    scheduler.submit("main", { run }).onEnd((outcome) => outcomes.push(outcome));
  runToCompletion(kernel, clock);
  expect(outcomes.map(({ kind }) => kind)).toEqual(["ok", "failed"]);
});
