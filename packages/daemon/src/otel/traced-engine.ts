/**
 * A job engine whose jobs are spans.
 *
 * TE1. A job that carries a span is a span of the same trace, whichever node it came from; one that carries none begins a trace.
 */
import type { CancelSignal, JobEngine, JobEnvelope, Tracer } from "@glia-os/abi/ports";
import { parseTraceparent } from "@glia-os/abi/wire";

/** `engine`, each of its jobs a span of `tracer`; without one, `engine` itself. */
export function tracedEngine(
  engine: Pick<JobEngine, "run">,
  tracer: Tracer | undefined,
): Pick<JobEngine, "run"> {
  if (tracer === undefined) return engine;
  return {
    async run<Result>(job: JobEnvelope, cancel?: CancelSignal): Promise<Result> {
      const parent = job.traceparent === undefined ? undefined : parseTraceparent(job.traceparent);
      const span = tracer.start("job.run", {
        kind: "consumer",
        attributes: { "glia.job.id": job.id, "glia.job.entry": job.entry, "glia.job.origin": job.origin },
        ...(parent === undefined ? {} : { parent }),
      });
      try {
        const result = await engine.run<Result>(job, cancel);
        span.status("ok");
        return result;
      } catch (error) {
        span.status("error", error instanceof Error ? error.message : String(error));
        throw error;
      } finally {
        span.end();
      }
    },
  };
}
