import type { Clock } from "@glia-os/abi/ports";
import type { Handle, Sys } from "@glia-os/kernel";
import { asyncProgram } from "@glia-os/kernel/face";
import { HISTOGRAM_BOUNDS } from "@glia-os/kernel/observe";
import { createTestKernel, runToCompletion, runWithMicrotasks } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Histogram } from "../src/observe/histogram.ts";
import { RecordingMeter } from "./recording-meter.ts";
import { codeOf, run } from "./run.ts";
import { turn } from "./run-async.ts";

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test("TT1: lifetimes, first runs and waits in the ready list have the lengths that the clock says", () => {
  const meter = new RecordingMeter();
  const { kernel, clock } = createTestKernel(1, { meter, measure: true });
  kernel.spawn(function* (sys) {
    yield* sys.sleep(250);
  });
  clock.advance(40);
  kernel.runSlice();
  clock.advance(300);
  kernel.runSlice();
  expect(kernel.liveTasks).toBe(0);
  expect(meter.of("task_run_latency_seconds")).toEqual([0.04]);
  // Ready for 40 ms at first; the timer that was due at 290 ms was seen at 340 ms, and the task ran at once.
  expect(meter.of("task_wait_time_seconds")).toEqual([0.04, 0]);
  expect(meter.of("mayfly_task_latency_seconds")).toEqual([0.34]);
});

test("TT1: with one turn per reading a turn behind a slow one is seen to have waited; with many it is not", () => {
  const waits = (turnsPerReading: number): readonly number[] => {
    const meter = new RecordingMeter();
    const { kernel, clock } = createTestKernel(1, { meter, measure: { turnsPerReading } });
    kernel.spawn(function* () {
      clock.advance(80);
    });
    kernel.spawn(function* () {});
    runToCompletion(kernel, clock);
    return meter.of("task_wait_time_seconds");
  };
  expect(waits(1)).toEqual([0, 0.08]);
  expect(waits(16)).toEqual([0, 0]);
});

test("TT3: a thousand messages take no reading of the clock", () => {
  let readings = 0;
  const clock: Clock = { monotonicMs: () => ++readings * 0, wallMs: () => 0 };
  const { kernel } = createTestKernel(1, { clock, meter: new RecordingMeter(), measure: true });
  const box = kernel.mailbox<number>({ capacity: 2000, high: 2000 });
  const before = readings;
  kernel.spawn(
    function* (sys: Sys, inbox: Handle<number>) {
      for (let i = 0; i < 200; i++) sys.trySend(inbox, i);
      for (let i = 0; i < 200; i++) sys.tryReceive(inbox);
    },
    { give: [box] },
  );
  for (let i = 0; i < 1000; i++) kernel.trySend(box, i);
  kernel.runSlice();
  // One for what happened before the slice, one for the slice.
  expect(readings - before).toBe(2);
});

test("TM2, TT2: messages wait from the moment they were put in until they leave, sent from outside or not", () => {
  const meter = new RecordingMeter();
  const { kernel, clock } = createTestKernel(1, { meter, measure: true });
  const box = kernel.mailbox<string>({ capacity: 2, overflow: "drop-oldest" });
  kernel.runSlice();
  clock.advance(1000);
  for (const text of ["dropped", "one", "two"]) kernel.trySend(box, text);
  clock.advance(30);
  kernel.spawn(
    function* (sys: Sys, inbox: Handle<string>) {
      expect(yield* sys.receive(inbox)).toBe("one");
      yield* sys.sleep(400);
      expect(yield* sys.receive(inbox)).toBe("two");
      // This one is handed over directly and never stands in the mailbox.
      expect(yield* sys.receive(inbox)).toBe("direct");
    },
    { give: [box] },
  );
  kernel.runSlice();
  clock.advance(400);
  kernel.runSlice();
  kernel.trySend(box, "direct");
  runToCompletion(kernel, clock);
  expect(kernel.liveTasks).toBe(0);
  const waits = meter.of("glia_message_wait_seconds");
  expect(waits).toEqual([0, 0.03, 0.43]);
});

test("TM2: a mailbox keeps the times of its messages in order through growth and wrap-around", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(40), fc.nat(5)), { maxLength: 30 }), (rounds) => {
      const meter = new RecordingMeter();
      const { kernel, clock } = createTestKernel(1, { meter, measure: true });
      const box = kernel.mailbox<number>({ capacity: 5000, high: 5000 });
      let now = 0;
      let expected = 0;
      let taken = 0;
      for (const [put, take, later] of rounds) {
        for (let i = 0; i < put; i++) kernel.trySend(box, now);
        clock.advance(later * 1000);
        now += later * 1000;
        kernel.runSlice();
        for (let i = 0; i < take; i++) {
          const came = kernel.tryReceive(box);
          if (came === undefined) break;
          taken++;
          expected += now - came;
        }
      }
      kernel.runSlice();
      const waits = meter.of("glia_message_wait_seconds");
      expect(waits).toHaveLength(taken);
      expect(sum(waits)).toBeCloseTo(expected / 1000, 6);
    }),
  );
});

test("H2: whatever is recorded, a meter's buckets, count and sum are right", () => {
  const bucketOf = (value: number): number => HISTOGRAM_BOUNDS.findIndex((bound) => value <= bound);
  const seconds = fc.oneof(fc.double({ min: 0, max: 3, noNaN: true }), fc.constantFrom(...HISTOGRAM_BOUNDS));
  fc.assert(
    fc.property(fc.array(seconds, { maxLength: 50 }), (values) => {
      const meter = new RecordingMeter();
      const histogram = new Histogram("h");
      for (const value of values) histogram.record(value);
      histogram.publish(meter);
      histogram.publish(meter);
      const told = meter.of("h");
      expect(told.map(bucketOf).sort()).toEqual(values.map(bucketOf).sort());
      expect(sum(told)).toBeCloseTo(sum(values), 9);
    }),
  );
});

test("H2: a mean that rounding would carry over a bound stays in its bucket", () => {
  const meter = new RecordingMeter();
  const histogram = new Histogram("h");
  for (let i = 0; i < 1_000_003; i++) histogram.record(0.1);
  histogram.publish(meter);
  expect(new Set(meter.of("h").map((value) => value <= 0.1 && value > 0.05))).toEqual(new Set([true]));
});

test("TT4: tasks by state add up to the tasks that live, and every entry of a state is counted", () => {
  const meter = new RecordingMeter();
  const { kernel, clock } = createTestKernel(1, { meter, measure: true, turnSyscalls: 4 });
  const idle = kernel.spawn(function* (sys) {
    yield* sys.receive(sys.mailbox());
  });
  kernel.spawn(function* (sys) {
    yield* sys.sleep(10);
    throw new RangeError("on purpose");
  });
  kernel.spawn(function* (sys) {
    for (let i = 0; i < 3; i++) yield* sys.yield();
  });
  const seen = (): number =>
    sum([...meter.gauges].filter(([key]) => key.startsWith("tasks_running")).map(([, n]) => n));
  for (let i = 0; i < 12; i++) {
    kernel.runSlice(1);
    expect(seen()).toBe(kernel.liveTasks);
  }
  expect(meter.gauges.get("tasks_running_total waiting")).toBe(1);
  expect(meter.gauges.get("tasks_running_total sleeping")).toBe(1);
  expect(meter.gauges.get("scheduler_ready_queue_depth")).toBe(0);
  kernel.kill(idle);
  runToCompletion(kernel, clock);
  const entered = (state: string): number | undefined => meter.counts.get(`tasks_state_total ${state}`);
  expect(seen()).toBe(0);
  expect([entered("finished"), entered("failed"), entered("cancelled")]).toEqual([1, 1, 1]);
  expect([entered("sleeping"), entered("waiting")]).toEqual([1, 1]);
  // Three new tasks, three yields of which the last two found no other ready task, one timer, one kill.
  expect(entered("running")).toBe(entered("ready"));
});

test("TT4: tasks by state add up with async functions, which move between slices, too", async () => {
  const meter = new RecordingMeter();
  const { kernel, clock } = createTestKernel(1, { meter, measure: true });
  const program = asyncProgram(async (sys) => {
    for (let i = 0; i < 3; i++) await sys.sleep(1);
    await sys.receive(sys.mailbox());
  });
  const tasks = [kernel.spawn(program), kernel.spawn(program)];
  const seen = (): number => sum(["ready", "running", "sleeping", "waiting", "throttled"].map(gauge));
  const gauge = (state: string): number => meter.gauges.get(`tasks_running_total ${state}`) ?? 0;
  for (let i = 0; i < 40; i++) {
    if (kernel.runSlice() === "microtasks") await turn();
    clock.advance(1);
    expect(seen()).toBe(2);
  }
  expect(gauge("waiting")).toBe(2);
  for (const task of tasks) kernel.kill(task);
  expect(await runWithMicrotasks(kernel, clock, turn, 100)).toBe("ended");
  expect(seen()).toBe(0);
});

test("without measure a meter gets counters only", () => {
  const meter = new RecordingMeter();
  run(
    function* (sys) {
      yield* sys.sleep(1);
    },
    { meter },
  );
  expect(meter.observed.size + meter.gauges.size).toBe(0);
  expect(meter.counts.get("mayfly_tasks_total finished")).toBe(1);
});

test.each([
  ["without a meter", { measure: true }],
  ["by nothing", { measure: null as never, meter: new RecordingMeter() }],
  ["by a number", { measure: 16 as never, meter: new RecordingMeter() }],
  ["with no turn per reading", { measure: { turnsPerReading: 0 }, meter: new RecordingMeter() }],
  ["with 65,537 turns per reading", { measure: { turnsPerReading: 65_537 }, meter: new RecordingMeter() }],
  ["with half a turn per reading", { measure: { turnsPerReading: 0.5 }, meter: new RecordingMeter() }],
])("measuring %s is refused", (_, options) => {
  expect(codeOf(() => createTestKernel(1, options))).toBe("kernel.bad-option");
});

test("65,536 turns per reading are the most that is taken", () => {
  const options = { measure: { turnsPerReading: 65_536 }, meter: new RecordingMeter() };
  expect(createTestKernel(1, options).kernel.liveTasks).toBe(0);
});
