/** A collector of OpenTelemetry for tests: takes traces by OTLP over HTTP, as JSON. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as it was sent. */
export interface SentSpan {
  readonly node: string;
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly events: readonly { readonly name: string }[];
  /** Those that are text. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly (Omit<SentSpan, "node" | "attributes"> & {
        readonly attributes: readonly Attribute[];
      })[];
    }[];
  }[];
}

/** A collector that runs. */
export interface Collector {
  readonly endpoint: string;
  readonly spans: readonly SentSpan[];
  close(): void;
}

const textsOf = (attributes: readonly Attribute[]): SentSpan["attributes"] =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));

function spansIn({ resourceSpans }: Sent): readonly SentSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const node = textsOf(resource.attributes)["service.instance.id"] ?? "";
    return scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({ ...span, node, attributes: textsOf(span.attributes) }));
  });
}

/** Start one. */
export async function startCollector(): Promise<Collector> {
  const spans: SentSpan[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      spans.push(...spansIn(JSON.parse(body) as Sent));
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}/v1/traces`, spans, close: () => void server.close() };
}
