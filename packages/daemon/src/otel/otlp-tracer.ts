/**
 * Spans of a node, sent by the OTLP exporter of OpenTelemetry over HTTP.
 *
 * OE1. The packages of OpenTelemetry are optional and loaded only where traces are configured; without them the node does not start, and says which.
 * OE2. A collector that is away costs the node nothing but the spans: they wait in a bounded queue and are dropped beyond it.
 */
import type { Tracer } from "@glia-os/abi/ports";
import { openTelemetryTracer } from "@glia-os/host";
import { BadOptionsError } from "../errors.ts";

/** With it at each import a bundler leaves out what is not installed, instead of refusing the whole program. */
const missing = (cause: unknown): never => {
  throw cause;
};

/** Where traces go. */
export interface TraceSettings {
  /** URL of an OTLP collector's traces over HTTP, for example `http://127.0.0.1:4318/v1/traces`. */
  readonly endpoint: string;
  /**
   * How many of 100 traces that begin on this node are kept: a whole number from 1 to 100, default 100. A trace that began elsewhere is kept or not as it was
   * decided there.
   */
  readonly percent?: number;
}

/** A tracer whose spans leave the process. */
export interface OtlpTracer {
  readonly tracer: Tracer;
  /** Send what waits, for a short time, and end. */
  close(): Promise<void>;
}

const PACKAGES =
  "@opentelemetry/api @opentelemetry/exporter-trace-otlp-http @opentelemetry/resources @opentelemetry/sdk-trace";
/** How long spans wait for others, in milliseconds. */
const DELAY_MS = 1000;
/** How long sending may take, in milliseconds. */
const SEND_MS = 5000;
const QUEUE_MAX = 2048;
const PERCENT_MAX = 100;

/** @throws {BadOptionsError} for a URL that is none, or a part that is none. */
export function checkTraceSettings({ endpoint, percent = PERCENT_MAX }: TraceSettings): void {
  if (!Number.isInteger(percent) || percent < 1 || percent > PERCENT_MAX)
    throw new BadOptionsError(`Of 100 traces 1 to ${PERCENT_MAX} are kept, not ${percent}`);
  if (typeof endpoint === "string" && URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol))
    return;
  throw new BadOptionsError(`${JSON.stringify(endpoint)} is no URL of http or https for traces`);
}

/** Open the tracer of a node. @throws {BadOptionsError} (OE1) */
export async function openOtlpTracer(
  { endpoint, percent = PERCENT_MAX }: TraceSettings,
  nodeName: string,
): Promise<OtlpTracer> {
  const { api, exporter, resources, sdk } = await loadPackages();
  const provider = new sdk.TracerProvider({
    resource: resources.resourceFromAttributes({ "service.name": "glia", "service.instance.id": nodeName }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(percent / PERCENT_MAX) }),
    spanProcessors: [
      new sdk.BatchSpanProcessor({
        exporter: new exporter.OTLPTraceExporter({ url: endpoint, timeoutMillis: SEND_MS }),
        scheduledDelayMillis: DELAY_MS,
        exportTimeoutMillis: SEND_MS,
        maxQueueSize: QUEUE_MAX,
      }),
    ],
  });
  return {
    tracer: openTelemetryTracer(api, provider.getTracer("@glia-os/daemon")),
    close: () => provider.shutdown().catch(() => undefined),
  };
}

async function loadPackages() {
  try {
    const [api, exporter, resources, sdk] = await Promise.all([
      import("@opentelemetry/api").catch(missing),
      import("@opentelemetry/exporter-trace-otlp-http").catch(missing),
      import("@opentelemetry/resources").catch(missing),
      import("@opentelemetry/sdk-trace").catch(missing),
    ]);
    return { api, exporter, resources, sdk };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BadOptionsError(`Traces need the packages ${PACKAGES}: ${why}`);
  }
}
