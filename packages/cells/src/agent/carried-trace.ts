/**
 * How an agent carries the trace of the message that it handles to what it does meanwhile (docs/spec/agent-message.md, "Traces").
 *
 * TC1. What an agent tells, asks and publishes while it handles a message is part of the trace of that message.
 * TC2. Without a trace nothing is made, kept or written: a message costs one look at a field.
 */
import type { LogFields } from "@glia-os/abi/ports";
import type { AgentEnvelope } from "./envelope.ts";

/** Where the ids are in a `traceparent`. */
const TRACE_ID = [3, 35] as const;
const SPAN_ID = [36, 52] as const;

/** An envelope that is sent while `request` is handled (TC1). */
export function continuing(envelope: AgentEnvelope, request: AgentEnvelope | null): AgentEnvelope {
  return request === null || request.trace === undefined ? envelope : { ...envelope, trace: request.trace };
}

/** The fields of a log line that is written while `request` is handled, in the words of OpenTelemetry: `trace_id` and `span_id`. */
export function tracedFields(
  fields: LogFields | undefined,
  request: AgentEnvelope | null,
): LogFields | undefined {
  if (request === null || request.trace === undefined) return fields;
  const { parent } = request.trace;
  return { ...fields, trace_id: parent.slice(...TRACE_ID), span_id: parent.slice(...SPAN_ID) };
}
