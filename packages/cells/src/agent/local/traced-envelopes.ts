/**
 * The spans of the messages of one thread, made as they go (`message-spans.ts`).
 *
 * TE1. An envelope of which there is a span is replaced by one that says so; it is never changed.
 */
import type { AgentEnvelope } from "../envelope.ts";
import { type MessageFacts, MessageSpans, type Traced } from "../message-spans.ts";
import type { Sent } from "../outside.ts";
import type { AgentTarget } from "../reference.ts";

/** Makes them. */
export class TracedEnvelopes {
  readonly #spans: MessageSpans;

  constructor(...parts: ConstructorParameters<typeof MessageSpans>) {
    this.#spans = new MessageSpans(...parts);
  }

  /** Have it sent to an agent; `send` gets it as it leaves. */
  sent(to: AgentTarget, envelope: AgentEnvelope, send: (envelope: AgentEnvelope) => Sent): Sent {
    const id = typeof to === "string" ? to : to.id;
    const left = this.#spans.leaves(factsOf(id, envelope));
    const sent = send(traced(envelope, left));
    if (sent === "full" || sent === "unknown") left?.undo();
    return sent;
  }

  /** Have it delivered to an agent of this thread; `deliver` gets it as the agent does. */
  taken(agent: string, envelope: AgentEnvelope, deliver: (envelope: AgentEnvelope) => Sent): Sent {
    const came = this.#spans.comes(factsOf(agent, envelope));
    const sent = deliver(traced(envelope, came));
    if (sent === "full" || sent === "unknown") came?.undo();
    return sent;
  }

  /** Nobody waits for the answer to an ask any more. */
  unanswered(asker: string, correlation: number, code: string): void {
    this.#spans.abandoned(asker, correlation, code);
  }

  /** An agent has ended. */
  ended(agent: string): void {
    this.#spans.gone(agent, "the agent has ended");
  }
}

function traced(envelope: AgentEnvelope, going: Traced | undefined): AgentEnvelope {
  if (going === undefined) return envelope;
  return { ...envelope, trace: { ...envelope.trace, parent: going.parent } };
}

function factsOf(
  to: string,
  { kind, from, correlation, message, trace, input }: AgentEnvelope,
): MessageFacts {
  const code = kind === "error" ? (input as { readonly code?: unknown } | null)?.code : undefined;
  return {
    kind,
    from: from?.id ?? "",
    to,
    correlation,
    message,
    parent: trace?.parent,
    ...(typeof code === "string" ? { code } : {}),
  };
}
