/**
 * What goes between agents (docs/spec/agent-message.md). In one thread it goes as this object; elsewhere as JSON (`envelope-codec.ts`).
 *
 * AE1. An envelope does not change after it was made.
 * AE2. `correlation` is chosen by whoever asks; replies, errors, chunks and ends carry it back, credits and cancels forth.
 */
import { type MessagePriority, type UnusualPriority, unusual } from "./priority.ts";
import type { AgentRef } from "./reference.ts";
import type { MessageTrace } from "./trace.ts";

/**
 * What an envelope is. `tell`: a message. `ask`: a message that wants a reply, or opens a stream. `reply`, `error`: how an ask ended;
 * `error` carries an error record. `chunk`, `end`: of a stream; `end` carries the reply. `credit`: so many more chunks may come, and `0`
 * that no more are wanted. `publish`: a message of a topic. `control`: between the interpreters of a parent and its child.
 */
export type EnvelopeKind =
  | "tell"
  | "ask"
  | "reply"
  | "error"
  | "chunk"
  | "end"
  | "credit"
  | "publish"
  | "control";

/** Every kind, in the order of the specification. */
export const ENVELOPE_KINDS: readonly EnvelopeKind[] = [
  "tell",
  "ask",
  "reply",
  "error",
  "chunk",
  "end",
  "credit",
  "publish",
  "control",
];

/** The version of the format. */
export const ENVELOPE_VERSION = 1;

/** A message between agents. */
export interface AgentEnvelope {
  readonly kind: EnvelopeKind;
  /** Who sent it. Whoever carries envelopes between hosts sets or checks it. Undefined: no agent. */
  readonly from: AgentRef | undefined;
  /** Which ask it belongs to: 0 for none, else a whole number from 1 to 2^53 - 1. */
  readonly correlation: number;
  /** The name of the message; of a `publish` the topic; of a `control` what is wanted; else empty. */
  readonly message: string;
  /** The input, reply, chunk, error record or number of chunks. */
  readonly input: unknown;
  /** Of a `tell` or an `ask` that is more or less urgent than usual. */
  readonly priority?: UnusualPriority | undefined;
  /** Of a `tell`, an `ask` or a `publish`: the span it comes from. */
  readonly trace?: MessageTrace | undefined;
}

/** The envelope with a priority, or itself for the usual one. @throws {BadArgumentError} for what is no priority */
export function prioritised(envelope: AgentEnvelope, priority: MessagePriority | undefined): AgentEnvelope {
  const sent = unusual(priority);
  return sent === undefined ? envelope : { ...envelope, priority: sent };
}
