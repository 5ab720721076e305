/**
 * What a node reads of an agent message without parsing it (docs/spec/agent-message.md): its first fields, and the trace at its end.
 *
 * MH1. Only the first {@link HEAD_BYTES} and the last 75 bytes are looked at, however long a message is. What is not written as the specification says has no head,
 *      and goes on as it is.
 * MH2. A span is written over the one in the message: its length, and every other byte, stays.
 */
import { decodeEnvelope, ENVELOPE_KINDS, type EnvelopeKind, TRACEPARENT_CHARS } from "@glia-os/cells/agent";

/** The longest head: a name of 64 characters, each escaped, and the sender's. */
export const HEAD_BYTES = 1024;
const HEAD =
  /^\{(?:"priority":"(?:high|low)",)?"glia":1,"kind":"([a-z]{3,7})"(?:,"from":\{"id":"([0-9a-f]{32})"(?:,"name":"[a-z0-9._-]{1,64}")?\})?(?:,"correlation":([1-9][0-9]{0,15}))?(?:,"message":("(?:[^"\\]|\\.){1,400}"))?[,}]/;
const MARK = ',"traceparent":"';
const END = '"}';
/** Bytes at the end of a message with a trace. */
const TAIL_BYTES = MARK.length + TRACEPARENT_CHARS + END.length;
const PARENT = /^,"traceparent":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"\}$/;
const NAMED: ReadonlySet<string> = new Set(["tell", "ask", "publish", "control"]);
const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
/** An error that is longer is not read for its code. */
const ERROR_BYTES = 16_384;

/** What the first fields of a message say. */
export interface MessageHead {
  readonly kind: EnvelopeKind;
  /** The sender's id, or empty. */
  readonly from: string;
  /** 0 for none. */
  readonly correlation: number;
  /** The name of the message, or empty. */
  readonly message: string;
}

/** The head of a message; undefined when it has none (MH1). */
export function headOf(payload: Uint8Array): MessageHead | undefined {
  if (payload[0] !== BRACE_OPEN) return undefined;
  const found = HEAD.exec(textOf(payload.subarray(0, HEAD_BYTES)));
  if (found === null) return undefined;
  const [, kind, from = "", correlation = "0", message] = found;
  if (!ENVELOPE_KINDS.includes(kind as EnvelopeKind)) return undefined;
  if (message === undefined && NAMED.has(kind as string)) return undefined;
  return {
    kind: kind as EnvelopeKind,
    from,
    correlation: Number(correlation),
    message: message === undefined ? "" : unquoted(message),
  };
}

/** The `traceparent` of a message; undefined when it has none. Allocates nothing for a message without one. */
export function traceparentOf(payload: Uint8Array): string | undefined {
  const at = payload.length - TAIL_BYTES;
  if (at < 1 || payload[at] !== MARK.charCodeAt(0) || payload[at + 2] !== MARK.charCodeAt(2))
    return undefined;
  return PARENT.exec(textOf(payload.subarray(at)))?.[1];
}

/** The message with another span, or with its first: then it is 73 bytes longer. */
export function withTraceparent(payload: Uint8Array, parent: string): Uint8Array {
  const has = traceparentOf(payload) !== undefined;
  if (!has && payload.at(-1) !== BRACE_CLOSE) return payload;
  const tail = bytesOf(`${MARK}${parent}${END}`);
  const kept = has ? payload.length - TAIL_BYTES : payload.length - 1;
  const written = new Uint8Array(kept + TAIL_BYTES);
  written.set(payload.subarray(0, kept));
  written.set(tail, kept);
  return written;
}

/** The code of an `error` message; undefined for one that is long or out of shape. */
export function errorCodeIn(payload: Uint8Array): string | undefined {
  if (payload.length > ERROR_BYTES) return undefined;
  try {
    const { input } = decodeEnvelope(new TextDecoder().decode(payload));
    const { code } = (input ?? {}) as { readonly code?: unknown };
    return typeof code === "string" ? code : undefined;
  } catch {
    return undefined;
  }
}

/** UTF-8, cut anywhere: half a character at the end is in no head. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return "";
  }
}
