/** Distributed tracing as a port: the terms of OpenTelemetry's tracing API and of W3C Trace Context, without depending on either. */

/** What identifies a span and travels with messages (W3C Trace Context; as text: `formatTraceparent` of `@glia-os/abi/wire`). */
export interface SpanContext {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 lower-case hexadecimal digits, not all 0. */
  readonly spanId: string;
  /** 0 to 255. Bit 0: the trace is sampled; bit 1: the trace id is random. */
  readonly traceFlags: number;
}

/** Facts of a span. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Another span that this one has to do with and that is not its parent. */
export interface SpanLink {
  readonly context: SpanContext;
  readonly attributes?: SpanAttributes;
}

/** How a span begins. */
export interface SpanOptions {
  /** The span it is a part of; without one it begins a trace. */
  readonly parent?: SpanContext;
  /** Default `internal`. */
  readonly kind?: "internal" | "server" | "client" | "producer" | "consumer";
  readonly attributes?: SpanAttributes;
  readonly links?: readonly SpanLink[];
}

/** One traced operation. Its methods have no effect after `end` and never throw. */
export interface Span {
  readonly context: SpanContext;
  /** Add a fact, or replace it. */
  set(name: string, value: string | number | boolean): void;
  /** Something that happened during the span. */
  event(name: string, attributes?: SpanAttributes): void;
  /** How it went; a span of which nothing is said is neither. `description` goes with `error`. */
  status(code: "ok" | "error", description?: string): void;
  /** It is over. Once. */
  end(): void;
}

/** Makes spans. Must not throw. */
export interface Tracer {
  /** Start a span now. */
  start(name: string, options?: SpanOptions): Span;
}
