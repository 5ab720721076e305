/**
 * Counters, gauges and histograms in memory.
 *
 * B1. Labels are bounded: at most 64 values per label of a metric, what exceeds is counted under `other`; at most 4096 series per metric,
 *     what exceeds is counted in one series whose labels are all `other`; at most 1024 metrics.
 * B2. A histogram's bucket counts every observation up to and including its bound, and the buckets before it (cumulative). It may not
 *     have the label `le`, by which buckets are told apart when they are written as text.
 */
import type { Meter } from "@glia-os/abi/ports";
import { HISTOGRAM_BOUNDS } from "@glia-os/kernel/observe";
import { BadMetricError } from "./errors.ts";

/** Upper bounds of histogram buckets in seconds: those of the kernel's histograms, so that what it hands over is exact. */
export const BUCKETS: readonly number[] = HISTOGRAM_BOUNDS;

const LABEL_VALUES = 64;
const SERIES = 4096;
const METRICS = 1024;
const OTHER = "other";
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/;

/** The kinds of metrics. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** One series of a snapshot. */
export interface SeriesSnapshot {
  readonly labels: Readonly<Record<string, string>>;
  /** The count or the gauge's value; for a histogram the sum of its observations. */
  readonly value: number;
  /** Histograms: observations. */
  readonly count?: number;
  /** Histograms: cumulative counts per bound of {@link BUCKETS}. */
  readonly buckets?: readonly number[];
}

/** One metric of a snapshot. */
export interface MetricSnapshot {
  readonly name: string;
  readonly kind: MetricKind;
  readonly series: readonly SeriesSnapshot[];
}

/** A meter that can be read. */
export interface MemoryMeter extends Meter {
  /** Everything recorded so far, by name; series in the order of their first record. */
  snapshot(): readonly MetricSnapshot[];
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
  count: number;
  readonly buckets: number[];
}

class Metric {
  readonly kind: MetricKind;
  readonly series = new Map<string, Series>();
  readonly #values = new Map<string, Set<string>>();

  constructor(kind: MetricKind) {
    this.kind = kind;
  }

  at(labels: Readonly<Record<string, string>>): Series {
    const names = Object.keys(labels).sort();
    for (const name of names) if (!NAME.test(name)) throw new BadMetricError("the label", name);
    const bounded = names.map((name) => [name, this.#bounded(name, String(labels[name]))] as const);
    const key = JSON.stringify(bounded);
    const known = this.series.get(key);
    if (known !== undefined) return known;
    if (this.series.size < SERIES) return this.#add(key, bounded);
    const others = names.map((name) => [name, OTHER] as const);
    const otherKey = JSON.stringify(others);
    return this.series.get(otherKey) ?? this.#add(otherKey, others);
  }

  #bounded(name: string, value: string): string {
    const values = this.#values.get(name) ?? new Set<string>();
    this.#values.set(name, values);
    if (values.has(value)) return value;
    if (values.size >= LABEL_VALUES) return OTHER;
    values.add(value);
    return value;
  }

  #add(key: string, labels: readonly (readonly [string, string])[]): Series {
    const buckets = this.kind === "histogram" ? BUCKETS.map(() => 0) : [];
    const series = { labels: Object.fromEntries(labels), value: 0, count: 0, buckets };
    this.series.set(key, series);
    return series;
  }
}

class Recorder implements MemoryMeter {
  readonly #metrics = new Map<string, Metric>();

  count(name: string, value = 1, labels: Readonly<Record<string, string>> = {}): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) throw new BadMetricError("the count", value);
    this.#at(name, "counter", labels).value += value;
  }

  observe(name: string, value: number, labels: Readonly<Record<string, string>> = {}, times = 1): void {
    if (!Number.isFinite(value)) throw new BadMetricError("the observation", value);
    if (!Number.isSafeInteger(times) || times < 1)
      throw new BadMetricError("an observation made so often:", times);
    if (Object.hasOwn(labels, "le")) throw new BadMetricError("the label of a histogram", "le");
    const series = this.#at(name, "histogram", labels);
    series.value += value * times;
    series.count += times;
    for (const [i, bound] of BUCKETS.entries()) if (value <= bound) series.buckets[i]! += times;
  }

  gauge(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    if (!Number.isFinite(value)) throw new BadMetricError("the gauge", value);
    this.#at(name, "gauge", labels).value = value;
  }

  snapshot(): readonly MetricSnapshot[] {
    const metrics = [...this.#metrics].sort(([a], [b]) => (a < b ? -1 : 1));
    return metrics.map(([name, { kind, series }]) => ({
      name,
      kind,
      series: [...series.values()].map(({ labels, value, count, buckets }) =>
        kind === "histogram" ? { labels, value, count, buckets: [...buckets] } : { labels, value },
      ),
    }));
  }

  #at(name: string, kind: MetricKind, labels: Readonly<Record<string, string>>): Series {
    let metric = this.#metrics.get(name);
    if (metric === undefined) {
      if (!NAME.test(name)) throw new BadMetricError("the name", name);
      if (this.#metrics.size >= METRICS) throw new BadMetricError(`one more than ${METRICS} metrics:`, name);
      metric = new Metric(kind);
      this.#metrics.set(name, metric);
    }
    if (metric.kind !== kind) throw new BadMetricError(`${name} is a ${metric.kind}; as a ${kind} it`, name);
    return metric.at(labels);
  }
}

/** A meter that keeps its numbers in memory. @throws {BadMetricError} from its methods for what cannot be recorded. */
export function createMemoryMeter(): MemoryMeter {
  return new Recorder();
}
