/** Measuring and budgets as ports. */

/** A family of numbers with bounded labels. Names and owners: docs/spec/metrics.md. */
export interface Meter {
  /** Add `value` (default 1, never negative) to a counter. */
  count(name: string, value?: number, labels?: Readonly<Record<string, string>>): void;
  /** Record one observation in a histogram, in the unit the name ends with. */
  observe(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
  /** Set a gauge. */
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void;
}

/** One traced operation. */
export interface Span {
  /** Add a fact. */
  set(name: string, value: string | number | boolean): void;
  /** End the span; `error` marks it failed. */
  end(error?: unknown): void;
}

/** Distributed tracing as a port (W3C trace context). */
export interface Tracer {
  /** Start a span under `traceparent`, or a new trace without one. */
  start(name: string, traceparent?: string): Span;
}
