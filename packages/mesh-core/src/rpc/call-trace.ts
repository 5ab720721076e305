/** The spans of calls: one where a call is made, one where it is answered. */
import type { NodeId } from "@glia-os/abi/ids";
import type { Span, SpanOptions, Tracer } from "@glia-os/abi/ports";
import { formatTraceparent, parseTraceparent } from "@glia-os/abi/wire";

/** A call's span, or what stands for it without a tracer. */
export interface CallSpan {
  /** What goes on with the call. */
  readonly traceparent: string | undefined;
  /** It is over: with an error, or without one. */
  end(error: unknown): void;
}

/** Makes the spans of one node's calls. */
export class CallTrace {
  readonly #tracer: Tracer | undefined;

  constructor(tracer: Tracer | undefined) {
    this.#tracer = tracer;
  }

  /** A call to `node` is made. `traceparent`: the span it is a part of, or `new`. */
  asked(method: string, node: NodeId, traceparent: string | undefined): CallSpan {
    if (traceparent === undefined) return NONE;
    const given = traceparent === "new" ? undefined : traceparent;
    return this.#span(`call ${method}`, "client", node, given);
  }

  /** A call from `node` is answered. */
  served(method: string, node: NodeId, traceparent: string | undefined): CallSpan {
    return traceparent === undefined ? NONE : this.#span(method, "server", node, traceparent);
  }

  #span(name: string, kind: "client" | "server", node: NodeId, given: string | undefined): CallSpan {
    const parent = given === undefined ? undefined : parseTraceparent(given);
    if (this.#tracer === undefined)
      return { traceparent: parent === undefined ? undefined : given, end: () => {} };
    const options: SpanOptions = { kind, attributes: { "glia.peer": node } };
    const span = this.#tracer.start(name, parent === undefined ? options : { ...options, parent });
    return { traceparent: formatTraceparent(span.context), end: (error) => endSpan(span, error) };
  }
}

const NONE: CallSpan = { traceparent: undefined, end: () => {} };

function endSpan(span: Span, error: unknown): void {
  if (error === undefined) span.status("ok");
  else span.status("error", error instanceof Error ? error.message : String(error));
  span.end();
}
