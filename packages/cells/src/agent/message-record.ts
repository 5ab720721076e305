/** Messages of an agent as people read them. */
import type { EnvelopeKind } from "./envelope.ts";
import type { AgentRef } from "./reference.ts";

/** One line of the message log. */
export interface MessageRecord {
  /** Milliseconds since the Unix epoch. */
  readonly atMs: number;
  readonly agent: AgentRef;
  /** `in`: taken up by the agent. `out`: sent by it. */
  readonly direction: "in" | "out";
  readonly kind: EnvelopeKind;
  readonly message: string;
  readonly correlation: number;
  /** The other side, where there is one. */
  readonly peer: string | undefined;
  /** What it carried, as JSON of at most 200 characters. */
  readonly text: string;
}
