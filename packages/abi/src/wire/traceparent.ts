/**
 * The header `traceparent` of W3C Trace Context (Recommendation of 2021, section 3.2), version 00.
 *
 * TP1. `parseTraceparent(formatTraceparent(context))` gives the same context for every valid one whose flags are 0 to 3.
 * TP2. Malformed text gives undefined, never an error: the Recommendation asks a receiver to begin a new trace then.
 * TP3. A later version is read as far as version 00 goes. Version ff, ids of zeros and upper-case digits are malformed.
 */
import { MalformedError } from "../errors/glia-error.ts";
import type { SpanContext } from "../ports/tracer.ts";

const HEADER = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;
const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const ZEROS = /^0+$/;
/** Sampled, and random trace id (Trace Context level 2): the flags that are written. */
const KNOWN_FLAGS = 3;
/** Longer text is not looked at. */
const TEXT_LIMIT = 512;

/** The context in a `traceparent`, or undefined when it is malformed (TP2). O(1): text beyond 512 characters is malformed. */
export function parseTraceparent(text: string): SpanContext | undefined {
  if (typeof text !== "string" || text.length > TEXT_LIMIT) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = HEADER.exec(text) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (ZEROS.test(traceId) || ZEROS.test(spanId)) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}

/** Whether a context names a span: a tracer that does not record gives ids of zeros. */
export function isSpanContext({ traceId, spanId }: SpanContext): boolean {
  return TRACE_ID.test(traceId) && SPAN_ID.test(spanId) && !ZEROS.test(traceId) && !ZEROS.test(spanId);
}

/** A context as the text of a `traceparent`, with the flags that version 00 knows. @throws {MalformedError} for ids that are none. */
export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  if (!TRACE_ID.test(traceId) || ZEROS.test(traceId))
    throw new MalformedError("a trace id", "it is not 32 digits 0-9a-f with one that is not 0");
  if (!SPAN_ID.test(spanId) || ZEROS.test(spanId))
    throw new MalformedError("a span id", "it is not 16 digits 0-9a-f with one that is not 0");
  return `00-${traceId}-${spanId}-0${(traceFlags & KNOWN_FLAGS).toString(16)}`;
}
