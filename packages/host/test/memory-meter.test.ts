import { BUCKETS, createMemoryMeter } from "@glia-os/host";
import fc from "fast-check";
import { expect, test } from "vitest";

test("counters add, gauges keep the last value, and labels tell series apart whatever their order", () => {
  const meter = createMemoryMeter();
  meter.count("jobs_total");
  meter.count("jobs_total", 4);
  meter.gauge("depth", 3, { a: "1", b: "2" });
  meter.gauge("depth", 5, { b: "2", a: "1" });
  meter.gauge("depth", -1, { a: "2", b: "1" });
  expect(meter.snapshot()).toEqual([
    {
      name: "depth",
      kind: "gauge",
      series: [
        { labels: { a: "1", b: "2" }, value: 5 },
        { labels: { a: "2", b: "1" }, value: -1 },
      ],
    },
    { name: "jobs_total", kind: "counter", series: [{ labels: {}, value: 5 }] },
  ]);
});

test("B2: each bucket counts the observations up to its bound", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 3, noNaN: true })), (values) => {
      const meter = createMemoryMeter();
      for (const value of values) meter.observe("latency_seconds", value);
      const [series] = meter.snapshot()[0]?.series ?? [];
      expect(series?.count ?? 0).toBe(values.length);
      for (const [i, bound] of BUCKETS.entries())
        expect(series?.buckets?.[i] ?? 0).toBe(values.filter((value) => value <= bound).length);
    }),
  );
});

test("B1: the 65th value of a label and the 4097th series are counted under `other`, and nothing is lost", () => {
  const meter = createMemoryMeter();
  for (let i = 0; i < 100; i++) meter.count("by_agent_total", 1, { agent: String(i) });
  const [one] = meter.snapshot();
  expect(one?.series).toHaveLength(65);
  expect(one?.series.at(-1)).toEqual({ labels: { agent: "other" }, value: 36 });
  const wide = createMemoryMeter();
  const total = 17 * 17 * 17;
  for (let i = 0; i < total; i++) {
    const labels = { a: String(i % 17), b: String(Math.floor(i / 17) % 17), c: String(Math.floor(i / 289)) };
    wide.count("wide_total", 1, labels);
  }
  const series = wide.snapshot()[0]?.series ?? [];
  expect(series).toHaveLength(4097);
  expect(series.at(-1)).toEqual({ labels: { a: "other", b: "other", c: "other" }, value: total - 4096 });
  expect(series.reduce((sum, { value }) => sum + value, 0)).toBe(total);
});

test("B1: the 1025th metric is refused", () => {
  const meter = createMemoryMeter();
  for (let i = 0; i < 1024; i++) meter.count(`metric_${i}`);
  expect(() => meter.count("one_more")).toThrow(expect.objectContaining({ code: "host.bad-metric" }));
  expect(meter.snapshot()).toHaveLength(1024);
});

test("numbers and names that cannot be recorded are refused and change nothing", () => {
  const meter = createMemoryMeter();
  meter.count("good_total");
  const bad = [
    () => meter.count("good_total", -1),
    () => meter.count("good_total", Number.NaN),
    () => meter.count("good_total", Number.POSITIVE_INFINITY),
    () => meter.gauge("g", Number.NaN),
    () => meter.observe("h", Number.POSITIVE_INFINITY),
    () => meter.count("bad name"),
    () => meter.count(""),
    () => meter.count("x".repeat(129)),
    () => meter.count("labelled", 1, { "bad label": "x" }),
    () => meter.gauge("good_total", 1),
  ];
  for (const act of bad) expect(act).toThrow(expect.objectContaining({ code: "host.bad-metric" }));
  expect(meter.snapshot().filter(({ series }) => series.length > 0)).toEqual([
    { name: "good_total", kind: "counter", series: [{ labels: {}, value: 1 }] },
  ]);
});
