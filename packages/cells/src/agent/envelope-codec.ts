/** Envelopes as text (docs/spec/agent-message.md). */
import { ENVELOPE_BYTES_MAX, NAME_CHARS_MAX } from "./constants.ts";
import { type AgentEnvelope, ENVELOPE_KINDS, ENVELOPE_VERSION, type EnvelopeKind } from "./envelope.ts";
import { BadEnvelopeError, ValueNotPlainError } from "./errors.ts";
import { isUnusual, type UnusualPriority } from "./priority.ts";
import { type AgentRef, isAgentRef } from "./reference.ts";
import { type MessageTrace, traceOf } from "./trace.ts";
import { fromJson, toJson } from "./value-codec.ts";

const FIELDS: ReadonlySet<string> = new Set([
  "priority",
  "glia",
  "kind",
  "from",
  "correlation",
  "message",
  "input",
  "tracestate",
  "traceparent",
]);
const NAMED: ReadonlySet<EnvelopeKind> = new Set(["tell", "ask", "publish", "control"]);
/** Who carries messages reads it from the beginning of the text, so it comes first. */
const RANKED: ReadonlySet<EnvelopeKind> = new Set(["tell", "ask"]);
const TRACED: ReadonlySet<EnvelopeKind> = new Set(["tell", "ask", "publish"]);
const UNCORRELATED: ReadonlySet<EnvelopeKind> = new Set(["tell", "publish", "control"]);

/** The text of an envelope. @throws {ValueNotPlainError} also for one that is too large */
export function encodeEnvelope(envelope: AgentEnvelope): string {
  const { kind, from, correlation, message, input, priority, trace } = envelope;
  const text = JSON.stringify({
    priority,
    glia: ENVELOPE_VERSION,
    kind,
    from: from === undefined ? undefined : { id: from.id, name: from.name },
    correlation: correlation === 0 ? undefined : correlation,
    message: message === "" ? undefined : message,
    input: toJson(input),
    // Nodes look for it at the end of the text.
    tracestate: trace?.state,
    traceparent: trace?.parent,
  });
  if (text.length > ENVELOPE_BYTES_MAX)
    throw new ValueNotPlainError("", `too large: ${text.length} characters, more than ${ENVELOPE_BYTES_MAX}`);
  return text;
}

/** The envelope of a text. @throws {BadEnvelopeError} */
export function decodeEnvelope(text: string): AgentEnvelope {
  if (text.length > ENVELOPE_BYTES_MAX) throw new BadEnvelopeError(`it has ${text.length} characters`);
  const json = parse(text);
  for (const field of Object.keys(json))
    if (!FIELDS.has(field)) throw new BadEnvelopeError(`it has a field ${field.slice(0, 40)}`);
  if (json["glia"] !== ENVELOPE_VERSION) throw new BadEnvelopeError("it is not of version 1");
  const kind = json["kind"] as EnvelopeKind;
  if (!ENVELOPE_KINDS.includes(kind)) throw new BadEnvelopeError("its kind is unknown");
  const from = json["from"];
  if (from !== undefined && !isExactRef(from)) throw new BadEnvelopeError("its sender is no address");
  const envelope: AgentEnvelope = {
    kind,
    from,
    correlation: correlationOf(kind, json["correlation"]),
    message: messageOf(kind, json["message"]),
    input: fromJson(json["input"]),
  };
  const { priority, traceparent } = json;
  if (priority === undefined && traceparent === undefined) return envelope;
  const trace = traceparent === undefined ? undefined : traceIn(kind, json);
  return {
    ...envelope,
    ...(priority === undefined ? {} : { priority: priorityOf(kind, priority) }),
    ...(trace === undefined ? {} : { trace }),
  };
}

function parse(text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new BadEnvelopeError("it is not JSON");
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new BadEnvelopeError("it is no object");
  return json as Record<string, unknown>;
}

function isExactRef(from: unknown): from is AgentRef {
  return isAgentRef(from) && Object.keys(from).length === (from.name === undefined ? 1 : 2);
}

function correlationOf(kind: EnvelopeKind, value: unknown): number {
  if (UNCORRELATED.has(kind)) {
    if (value === undefined) return 0;
    throw new BadEnvelopeError(`a ${kind} has no correlation`);
  }
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw new BadEnvelopeError("its correlation is no whole number from 1");
}

function priorityOf(kind: EnvelopeKind, value: unknown): UnusualPriority {
  if (!RANKED.has(kind)) throw new BadEnvelopeError(`a ${kind} has no priority`);
  if (isUnusual(value)) return value;
  throw new BadEnvelopeError("its priority is neither high nor low");
}

function traceIn(
  kind: EnvelopeKind,
  { traceparent, tracestate }: Record<string, unknown>,
): MessageTrace | undefined {
  if (TRACED.has(kind)) return traceOf(traceparent, tracestate);
  throw new BadEnvelopeError(`a ${kind} has no trace`);
}

function messageOf(kind: EnvelopeKind, value: unknown): string {
  if (!NAMED.has(kind)) {
    if (value === undefined) return "";
    throw new BadEnvelopeError(`a ${kind} has no message`);
  }
  if (typeof value === "string" && value.length >= 1 && value.length <= NAME_CHARS_MAX) return value;
  throw new BadEnvelopeError(`its message is no text of 1 to ${NAME_CHARS_MAX} characters`);
}
