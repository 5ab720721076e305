/**
 * The trace that a message is part of (W3C Trace Context), as it goes with messages (docs/spec/agent-message.md, "Traces").
 *
 * TC3. What is malformed is no trace, and the message is handled without one: that is what the Recommendation asks of a receiver.
 */
import { parseTraceparent } from "@glia-os/abi/wire";

/** The span that a message comes from. */
export interface MessageTrace {
  /** A `traceparent` of version 00: 55 characters. */
  readonly parent: string;
  /** The `tracestate` that goes with it: at most 512 printable characters of ASCII. */
  readonly state?: string;
}

/** Characters of a `traceparent` of version 00. */
export const TRACEPARENT_CHARS = 55;
const STATE = /^[ -~]{1,512}$/;

/** The trace in two fields of a message; undefined without one (TC3). */
export function traceOf(parent: unknown, state: unknown): MessageTrace | undefined {
  if (typeof parent !== "string" || parent.length !== TRACEPARENT_CHARS) return undefined;
  if (parseTraceparent(parent) === undefined) return undefined;
  return typeof state === "string" && STATE.test(state) ? { parent, state } : { parent };
}
