/** The tracer of a node, where traces are configured: only then the packages it needs are loaded. */
import type { OtlpTracer, TraceSettings } from "./otlp-tracer.ts";

/** Open it. @throws {BadOptionsError} when a package is missing */
export async function openTracer({
  traces,
  name,
}: {
  readonly traces: TraceSettings | undefined;
  readonly name: string;
}): Promise<OtlpTracer | undefined> {
  if (traces === undefined) return undefined;
  const { openOtlpTracer } = await import("./otlp-tracer.ts");
  return openOtlpTracer(traces, name);
}
