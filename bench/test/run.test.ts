import { expect, it } from "vitest";
import { BenchRefusal } from "../src/refusal.ts";
import { refuseFastFlush } from "../src/run.ts";
import { suite } from "../suites/durable.ts";

it("a suite that measures flushes makes no result where fdatasync takes less than it says", () => {
  const flushing = { title: "flushes", rows: [], leastFdatasyncUs: 30 };
  expect(() => refuseFastFlush(flushing, 29.9)).toThrow(BenchRefusal);
  expect(() => refuseFastFlush(flushing, 30)).not.toThrow();
  expect(() => refuseFastFlush({ title: "others", rows: [] }, 1)).not.toThrow();
  expect(suite.leastFdatasyncUs).toBe(30);
});
