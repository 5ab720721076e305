import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import type { AdmittedProgram } from "@glia-os/abi/ports";
import {
  BUCKETS,
  createMemoryMeter,
  type ExpositionFormat,
  exposition,
  METRIC_HELP,
  type MetricSnapshot,
} from "@glia-os/host";
import { createKernel, type Handle } from "@glia-os/kernel";
import { Budget } from "@glia-os/kernel/fair-share";
import { guestProgram } from "@glia-os/kernel/guests";
import { Scheduler } from "@glia-os/kernel/jobs";
import { toolService } from "@glia-os/kernel/services";
import { runToCompletion, SeededRandom, VirtualClock } from "@glia-os/kernel/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExposition, type Sample } from "./exposition-parser.ts";

const FORMATS: readonly ExpositionFormat[] = ["prometheus", "openmetrics"];

test("EX1, EX3: the text of a counter, a gauge and a histogram is what the format says, to the byte", () => {
  const meter = createMemoryMeter();
  meter.count("jobs_total", 3, { queue: "a" });
  meter.gauge("depth", -1.5);
  meter.observe("wait_seconds", 0.004, {}, 2);
  meter.observe("wait_seconds", 7);
  expect(exposition(meter.snapshot(), { help: { depth: "How deep." } })).toBe(`# HELP depth How deep.
# TYPE depth gauge
depth -1.5
# TYPE jobs_total counter
jobs_total{queue="a"} 3
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.001"} 0
wait_seconds_bucket{le="0.005"} 2
wait_seconds_bucket{le="0.01"} 2
wait_seconds_bucket{le="0.05"} 2
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="0.25"} 2
wait_seconds_bucket{le="0.5"} 2
wait_seconds_bucket{le="1"} 2
wait_seconds_bucket{le="2"} 2
wait_seconds_bucket{le="+Inf"} 3
wait_seconds_sum 7.008
wait_seconds_count 3
`);
});

test("EX5: OpenMetrics names counters by their family and ends with EOF", () => {
  const meter = createMemoryMeter();
  meter.count("jobs_total", 3);
  meter.count("odd_counts", 1);
  meter.observe("wait_seconds", 0.5);
  const text = exposition(meter.snapshot(), { format: "openmetrics" });
  expect(text).toContain("# TYPE jobs counter\njobs_total 3\n");
  expect(text).toContain("# TYPE odd_counts counter\nodd_counts_total 1\n");
  expect(text).toContain('wait_seconds_bucket{le="1.0"} 1\n');
  expect(text.endsWith("\n# EOF\n")).toBe(true);
  expect(exposition([], { format: "openmetrics" })).toBe("# EOF\n");
  expect(exposition([])).toBe("");
});

test.each(FORMATS)(
  "EX1, EX2: an independent reader of %s gets back what was recorded, whatever the texts",
  (format) => {
    const text = fc.string({
      unit: fc.constantFrom("a", "\\", "\n", '"', "{", "}", ",", "=", "é", "\u2028", "n"),
    });
    const names = fc.constantFrom("a_total", "b_total", "c", "d");
    const entry = fc.tuple(names, text, fc.double({ min: 0, max: 1e25, noNaN: true }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), text, (entries, help) => {
        const meter = createMemoryMeter();
        const expected = new Map<string, number>();
        for (const [name, label, value] of entries) {
          const key = JSON.stringify([name, label]);
          if (name.endsWith("_total")) {
            meter.count(name, value, { label });
            expected.set(key, (expected.get(key) ?? 0) + value);
          } else {
            meter.gauge(name, 1 - value, { label });
            expected.set(key, 1 - value);
          }
        }
        const families = parseExposition(exposition(meter.snapshot(), { format, help: { c: help } }), format);
        const samples = families.flatMap((family) => family.samples);
        const read = samples.map(({ name, labels, value }: Sample): [string, number] => [
          JSON.stringify([name, labels["label"]]),
          value,
        ]);
        expect(new Map(read)).toEqual(expected);
        expect(read).toHaveLength(expected.size);
        const c = families.find(({ name }) => name === "c");
        if (c !== undefined) expect(c.help).toBe(help);
      }),
    );
  },
);

test.each(FORMATS)("EX3: histograms in %s are cumulative and agree with their count", (format) => {
  const entry = fc.tuple(
    fc.constantFrom("x", "y"),
    fc.double({ min: 0, max: 3, noNaN: true }),
    fc.integer({ min: 1, max: 9 }),
  );
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), (entries) => {
      const meter = createMemoryMeter();
      for (const [who, value, times] of entries) meter.observe("h_seconds", value, { who }, times);
      const [family] = parseExposition(exposition(meter.snapshot(), { format }), format);
      for (const who of new Set(entries.map(([one]) => one))) {
        const own = entries.filter(([one]) => one === who);
        const of = (name: string, le?: number): number | undefined =>
          family!.samples.find(
            (sample) =>
              sample.name === name &&
              sample.labels["who"] === who &&
              (le === undefined || Number(sample.labels["le"]) === le),
          )?.value;
        const times = (some: typeof own): number => some.reduce((sum, [, , count]) => sum + count, 0);
        expect(of("h_seconds_count")).toBe(times(own));
        for (const bound of BUCKETS)
          expect(of("h_seconds_bucket", bound)).toBe(times(own.filter(([, value]) => value <= bound)));
      }
    }),
  );
});

test("numbers that are none are written as the formats write them", () => {
  const series = (value: number) => ({ labels: {}, value });
  const snapshot: MetricSnapshot[] = [
    { name: "a", kind: "gauge", series: [series(Number.NaN)] },
    { name: "b", kind: "gauge", series: [series(Number.POSITIVE_INFINITY)] },
    { name: "c", kind: "gauge", series: [series(Number.NEGATIVE_INFINITY)] },
    { name: "d", kind: "gauge", series: [series(1e300)] },
  ];
  const read = parseExposition(exposition(snapshot), "prometheus").map(({ samples }) => samples[0]?.value);
  expect(read).toEqual([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300]);
});

test("EX4: metrics that would write one sample name are refused", () => {
  const gauge = (name: string): MetricSnapshot => ({ name, kind: "gauge", series: [] });
  const refused: (readonly [readonly MetricSnapshot[], ExpositionFormat])[] = [
    [[gauge("a"), gauge("a")], "prometheus"],
    [[{ name: "h", kind: "histogram", series: [] }, gauge("h_count")], "prometheus"],
    [[gauge("h_bucket"), { name: "h", kind: "histogram", series: [] }], "prometheus"],
    [[{ name: "a_total", kind: "counter", series: [] }, gauge("a")], "openmetrics"],
  ];
  for (const [snapshot, format] of refused)
    expect(() => exposition(snapshot, { format })).toThrow(
      expect.objectContaining({ code: "host.bad-metric" }),
    );
  expect(exposition(refused[3]![0], { format: "prometheus" })).toContain("# TYPE a gauge");
});

test("a format that is neither of the two is refused, and so is what is no snapshot", () => {
  for (const snapshot of [null, undefined, "a 1", {}] as unknown as MetricSnapshot[][])
    expect(() => exposition(snapshot)).toThrow(expect.objectContaining({ code: "host.bad-option" }));
  for (const format of ["xml", "constructor", null] as unknown as ExpositionFormat[])
    expect(() => exposition([], { format })).toThrow(expect.objectContaining({ code: "host.bad-option" }));
});

test("a histogram may not be told apart by le, and an observation is made a whole number of times from 1 up", () => {
  const meter = createMemoryMeter();
  const bad = [
    () => meter.observe("h", 1, { le: "1" }),
    () => meter.observe("h", 1, {}, 0),
    () => meter.observe("h", 1, {}, 1.5),
    () => meter.observe("h", 1, {}, Number.NaN),
    () => meter.observe("h", 1, {}, -1),
  ];
  for (const act of bad) expect(act).toThrow(expect.objectContaining({ code: "host.bad-metric" }));
  expect(meter.snapshot()).toEqual([]);
});

/** A guest that uses 7 units of fuel and ends. */
const BRIEF = {
  instantiate: () => {
    const guest = {
      preemptible: false,
      fuelUsed: 0,
      step: () => {
        guest.fuelUsed = 7;
        return { kind: "finished", status: 0 };
      },
      dispose: () => undefined,
    };
    return guest;
  },
} as unknown as AdmittedProgram;

/** Every metric of the kernel moves in this run. */
function busyKernel(): readonly MetricSnapshot[] {
  const clock = new VirtualClock();
  const meter = createMemoryMeter();
  const random = new SeededRandom(1);
  const kernel = createKernel({ clock, random, meter, measure: true });
  const jobs = Scheduler.builder({ meter, concurrency: 1 })
    .registerQueue("mail", { capacity: 4 })
    .build(kernel);
  for (let i = 0; i < 3; i++) jobs.submit("mail", { run: function* () {} });
  kernel.onFailure(() => undefined);
  const service = kernel.service(toolService({ run: async () => "done" }));
  const box: Handle<number> = kernel.mailbox({ capacity: 2, high: 1, low: 0 });
  kernel.spawn(
    function* (sys, out) {
      for (let i = 0; i < 3; i++) yield* sys.send(out, i);
      throw new RangeError("on purpose");
    },
    { give: [box] },
  );
  kernel.spawn(
    function* (sys, inbox, tool) {
      try {
        yield* sys.exec(tool!, "more than its account has");
      } catch {
        yield* sys.sleep(20);
      }
      for (let i = 0; i < 3; i++) yield* sys.receive(inbox!);
    },
    { give: [box, service], account: { calls: 0 } },
  );
  kernel.spawn(
    function* (sys) {
      for (let i = 0; i < 9; i++) yield* sys.yield();
    },
    { budget: new Budget({ periodMs: 100, syscalls: 4 }) },
  );
  kernel.spawn(guestProgram(BRIEF, { meter }), { give: [kernel.mailbox()] });
  const killed = kernel.spawn(function* (sys) {
    yield* sys.waitOn("never");
  });
  const cancelled = kernel.spawn(function* (sys) {
    yield* sys.waitOn("never");
  });
  kernel.runSlice();
  kernel.kill(killed);
  kernel.cancel(cancelled);
  runToCompletion(kernel, clock);
  return meter.snapshot();
}

test("every metric that docs/spec/metrics.md says the kernel emits is emitted, with the kind, labels and help it says", () => {
  const page = readFileSync(new URL("../../../docs/spec/metrics.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\| ([\w-]+) +\| kernel +\| (\w+) +\|$/gm)];
  expect(rows.length).toBeGreaterThan(11);
  const emitted = new Map(busyKernel().map((metric) => [metric.name, metric]));
  for (const [, name = "", kind, label, today] of rows) {
    expect(today, name).toBe("yes");
    expect(METRIC_HELP, name).toHaveProperty(name);
    const metric = emitted.get(name);
    expect(metric?.kind, name).toBe(kind);
    const labels = new Set(metric?.series.flatMap((series) => Object.keys(series.labels)));
    expect([...labels], name).toEqual(label === "-" ? [] : [label]);
  }
  expect(Object.keys(METRIC_HELP).sort()).toEqual(rows.map(([, name]) => name).sort());
});

test("the metrics of a kernel move by the right amounts", () => {
  const read = parseExposition(exposition(busyKernel()), "prometheus").flatMap(({ samples }) => samples);
  const value = (name: string, labels: Readonly<Record<string, string>> = {}): number | undefined =>
    read.find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, text]) => sample.labels[key] === text),
    )?.value;
  const statuses = ["finished", "failed", "cancelled", "killed"];
  expect(statuses.map((status) => value("mayfly_tasks_total", { status }))).toEqual([6, 1, 1, 1]);
  expect(value("mayfly_task_latency_seconds_count")).toBe(9);
  expect(value("glia_guest_fuel_total")).toBe(7);
  expect(value("mayfly_syscall_counts", { type: "send" })).toBe(3);
  expect(value("mayfly_syscall_counts", { type: "receive" })).toBe(3);
  expect(value("mayfly_queue_depth", { queue: "mail" })).toBe(0);
  // The first message waits 20 ms; the sender was held back with the others until it was taken.
  expect(value("glia_message_wait_seconds_bucket", { le: "0.05" })).toBe(
    value("glia_message_wait_seconds_count"),
  );
  expect(value("glia_message_wait_seconds_sum")).toBeCloseTo(0.02, 9);
  expect(value("backpressure_pauses_total")).toBeGreaterThanOrEqual(1);
  expect(value("task_run_latency_seconds_count")).toBe(9);
  expect(value("tasks_state_total", { state: "failed" })).toBe(1);
  expect(value("tasks_state_total", { state: "sleeping" })).toBe(1);
  expect(value("tasks_state_total", { state: "cancelled" })).toBe(2);
  expect(value("scheduler_ready_queue_depth")).toBe(0);
  for (const state of ["ready", "running", "throttled", "sleeping", "waiting"])
    expect(value("tasks_running_total", { state })).toBe(0);
});

const promtool = spawnSync("promtool", ["--version"]).status === 0;

test.skipIf(!promtool)(
  "promtool reads the text and dislikes only two of the seeds' names (needs promtool)",
  () => {
    const meter = createMemoryMeter();
    meter.gauge("odd", -0.5, { text: 'a"b\\c\nd{},=\u2028' });
    const snapshot = [...busyKernel(), ...meter.snapshot()];
    const input = exposition(snapshot, { help: { odd: 'a \\ b\nc "d"' } });
    const { stderr } = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
    expect(stderr.trim().split("\n")).toEqual([
      'mayfly_syscall_counts counter metrics should have "_total" suffix',
      'tasks_running_total non-counter metrics should not have "_total" suffix',
    ]);
  },
);
