/** Shared by the tests of observing: a meter that keeps what it is told. */
import type { Meter } from "@glia-os/abi/ports";

/** Counters and gauges by name and label values; observations one by one. */
export class RecordingMeter implements Meter {
  readonly counts: Map<string, number> = new Map();
  readonly gauges: Map<string, number> = new Map();
  readonly observed: Map<string, number[]> = new Map();

  count(name: string, value = 1, labels: Readonly<Record<string, string>> = {}): void {
    const key = [name, ...Object.values(labels)].join(" ");
    this.counts.set(key, (this.counts.get(key) ?? 0) + value);
  }

  observe(name: string, value: number, labels: Readonly<Record<string, string>> = {}, times = 1): void {
    const key = [name, ...Object.values(labels)].join(" ");
    const values = this.observed.get(key) ?? [];
    for (let i = 0; i < times; i++) values.push(value);
    this.observed.set(key, values);
  }

  gauge(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.gauges.set([name, ...Object.values(labels)].join(" "), value);
  }

  /** The observations of one histogram, in order. */
  of(name: string): readonly number[] {
    return this.observed.get(name) ?? [];
  }
}
