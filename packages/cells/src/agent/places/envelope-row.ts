/**
 * An envelope between threads: a row of values in a fixed order, of which neither a ring nor structured clone has to write names.
 *
 * ER1. What comes back is the envelope that was posted, with every field it had.
 */
import { type AgentEnvelope, ENVELOPE_KINDS } from "../envelope.ts";

/** Whom it is for, its kind by place in the specification, the sender's id and name, and the rest of the envelope. */
export type EnvelopeRow = readonly [
  to: string,
  kind: number,
  from: string | undefined,
  name: string | undefined,
  correlation: number,
  message: string,
  input: unknown,
  priority: AgentEnvelope["priority"],
  /** Left out without one. */
  trace?: AgentEnvelope["trace"],
];

/** Refused by the compiler when envelopes get a field that rows have not (ER1). */
type Carried = "kind" | "from" | "correlation" | "message" | "input" | "priority" | "trace";
type NothingLost = Exclude<keyof AgentEnvelope, Carried> extends never ? AgentEnvelope : never;

/** An envelope and whom it is for. */
export interface Addressed {
  readonly is: "envelope";
  readonly to: string;
  readonly envelope: AgentEnvelope;
}

/** The row of an envelope. */
export function toRow({ to, envelope }: Addressed): EnvelopeRow {
  const { kind, from, correlation, message, input, priority, trace }: NothingLost = envelope;
  const at = ENVELOPE_KINDS.indexOf(kind);
  return trace === undefined
    ? [to, at, from?.id, from?.name, correlation, message, input, priority]
    : [to, at, from?.id, from?.name, correlation, message, input, priority, trace];
}

/** The envelope of a row. */
export function fromRow(row: EnvelopeRow): Addressed {
  const [to, kind, id, name, correlation, message, input, priority, trace] = row;
  const from = id === undefined ? undefined : name === undefined ? { id } : { id, name };
  const envelope = { kind: ENVELOPE_KINDS[kind]!, from, correlation, message, input };
  if (priority === undefined && trace === undefined) return { is: "envelope", to, envelope };
  return {
    is: "envelope",
    to,
    envelope: {
      ...envelope,
      ...(priority === undefined ? {} : { priority }),
      ...(trace === undefined ? {} : { trace }),
    },
  };
}
