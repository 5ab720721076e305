import { formatTraceparent } from "@glia-os/abi/wire";
import { openTelemetryTracer } from "@glia-os/host";
import { createTestKernel, runToCompletion } from "@glia-os/kernel/testing";
import * as api from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { expect, test } from "vitest";

function telemetry(options: ConstructorParameters<typeof BasicTracerProvider>[0] = {}): {
  readonly tracer: api.Tracer;
  readonly exported: (name: string) => ReadableSpan;
} {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
    ...options,
  });
  const exported = (name: string): ReadableSpan => {
    const found = exporter.getFinishedSpans().filter((span) => span.name === name);
    expect(found, name).toHaveLength(1);
    return found[0]!;
  };
  return { tracer: provider.getTracer("glia"), exported };
}

test("OT1: tasks become spans of the real SDK, with parents, attributes and status", () => {
  const { tracer, exported } = telemetry();
  const { kernel, clock } = createTestKernel(1, {
    spans: openTelemetryTracer(api, tracer),
    syscallSpans: true,
  });
  kernel.onFailure(() => undefined);
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  kernel.spawn(
    function* (sys) {
      yield* sys.sleep(5);
      sys.spawn(
        function* () {
          throw new RangeError("on purpose");
        },
        { name: "child" },
      );
    },
    { name: "root", traceparent },
  );
  runToCompletion(kernel, clock);
  const [root, child, sleep] = [exported("task root"), exported("task child"), exported("syscall sleep")];
  expect(root.spanContext().traceId).toBe("0af7651916cd43dd8448eb211c80319c");
  expect(root.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  expect(child.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
  expect(sleep.parentSpanContext?.spanId).toBe(root.spanContext().spanId);
  expect(root.attributes).toMatchObject({ "glia.task.path": "/0", "glia.task.exit": "ok" });
  expect(root.status.code).toBe(api.SpanStatusCode.UNSET);
  expect(child.status).toEqual({ code: api.SpanStatusCode.ERROR, message: "on purpose" });
});

test("OT1: kinds, links, events and both statuses arrive as OpenTelemetry means them", () => {
  const { tracer, exported } = telemetry();
  const spans = openTelemetryTracer(api, tracer);
  const first = spans.start("first");
  const kinds = {
    internal: "INTERNAL",
    server: "SERVER",
    client: "CLIENT",
    producer: "PRODUCER",
    consumer: "CONSUMER",
  } as const;
  for (const [kind, name] of Object.entries(kinds)) {
    const links = [{ context: first.context, attributes: { why: "batch" } }];
    const span = spans.start(kind, { kind: kind as keyof typeof kinds, links, attributes: { a: 1 } });
    span.set("b", true);
    span.event("happened", { n: 2 });
    span.status("ok");
    span.end();
    const seen = exported(kind);
    expect(seen.kind).toBe(api.SpanKind[name]);
    expect(seen.links).toMatchObject([
      { context: { spanId: first.context.spanId }, attributes: { why: "batch" } },
    ]);
    expect(seen.attributes).toEqual({ a: 1, b: true });
    expect(seen.events).toMatchObject([{ name: "happened", attributes: { n: 2 } }]);
    expect(seen.status.code).toBe(api.SpanStatusCode.OK);
    expect(seen.parentSpanContext).toBeUndefined();
  }
  expect(formatTraceparent(first.context)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
});

test("a trace that is not sampled stays so in what a task sends on", () => {
  const { tracer } = telemetry({ sampler: new AlwaysOffSampler() });
  const { kernel, clock } = createTestKernel(1, { spans: openTelemetryTracer(api, tracer) });
  let sent: string | undefined;
  kernel.spawn(function* (sys) {
    sent = sys.traceparent();
  });
  runToCompletion(kernel, clock);
  expect(sent).toMatch(/-00$/);
});

test("without a registered SDK, when the API's spans have no ids, tasks run and have no traceparent to send", () => {
  const spans = openTelemetryTracer(api, api.trace.getTracer("nobody"));
  const { kernel, clock } = createTestKernel(1, { spans });
  let sent: string | undefined = "never asked";
  kernel.spawn(function* (sys) {
    sent = sys.traceparent();
  });
  runToCompletion(kernel, clock);
  expect([sent, kernel.counters().finished]).toEqual([undefined, 1]);
});
