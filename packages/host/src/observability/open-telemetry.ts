/**
 * A tracer over OpenTelemetry's tracing API. Nothing of it is imported: the caller brings the API and a tracer of its SDK.
 *
 * OT1. Spans keep their place: a parent is set as the remote or local span context it is, links as links.
 */
import type { Span, SpanContext, SpanOptions, Tracer } from "@glia-os/abi/ports";

/** As much of a span of `@opentelemetry/api` as is used. */
export interface OpenTelemetrySpan {
  spanContext(): SpanContext;
  setAttribute(name: string, value: string | number | boolean): unknown;
  addEvent(name: string, attributes?: Record<string, string | number | boolean>): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

/** As much of a tracer of `@opentelemetry/api` as is used. */
export interface OpenTelemetryTracer<Context> {
  startSpan(name: string, options: OpenTelemetrySpanOptions, context: Context): OpenTelemetrySpan;
}

/** How it is told to begin a span. */
export interface OpenTelemetrySpanOptions {
  kind: number;
  attributes: Record<string, string | number | boolean>;
  links: { context: SpanContext; attributes?: Record<string, string | number | boolean> }[];
}

/** As much of the module `@opentelemetry/api` as is used. */
export interface OpenTelemetryApi<Context> {
  readonly ROOT_CONTEXT: Context;
  readonly trace: { setSpanContext(context: Context, span: SpanContext): Context };
}

/** Numbers of `SpanKind`. */
const KINDS = { internal: 0, server: 1, client: 2, producer: 3, consumer: 4 } as const;
/** Numbers of `SpanStatusCode`. */
const STATUS = { ok: 1, error: 2 } as const;

/** A tracer whose spans are made by `tracer`. Usage: `openTelemetryTracer(api, api.trace.getTracer("my-app"))`. */
export function openTelemetryTracer<Context>(
  api: OpenTelemetryApi<Context>,
  tracer: OpenTelemetryTracer<Context>,
): Tracer {
  return {
    start(name, { parent, kind = "internal", attributes = {}, links = [] }: SpanOptions = {}): Span {
      const context =
        parent === undefined ? api.ROOT_CONTEXT : api.trace.setSpanContext(api.ROOT_CONTEXT, parent);
      const options = {
        kind: KINDS[kind],
        attributes: { ...attributes },
        links: links.map((link) => ({ context: link.context, attributes: { ...link.attributes } })),
      };
      return spanOver(tracer.startSpan(name, options, context));
    },
  };
}

function spanOver(span: OpenTelemetrySpan): Span {
  return {
    context: span.spanContext(),
    set: (name, value) => void span.setAttribute(name, value),
    event: (name, attributes) => void span.addEvent(name, { ...attributes }),
    status: (code, description) =>
      void span.setStatus({
        code: STATUS[code],
        ...(code === "error" && description !== undefined && { message: description }),
      }),
    end: () => span.end(),
  };
}
