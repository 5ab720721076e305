/** Measuring as a port. */

/** A family of numbers with bounded labels. Names and owners: docs/spec/metrics.md. */
export interface Meter {
  /** Add `value` (default 1, never negative) to a counter. */
  count(name: string, value?: number, labels?: Readonly<Record<string, string>>): void;
  /** Record an observation in a histogram, in the unit the name ends with, `times` times: a whole number from 1 up, default 1. */
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>, times?: number): void;
  /** Set a gauge. */
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}
