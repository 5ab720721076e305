/**
 * The spans of messages between agents, made where messages leave and where they come: in a system of one thread, in a worker, at a node.
 *
 * MS1. An ask is a client span from when it leaves until its answer comes, and a server span from when it is taken for the agent until the answer
 *      leaves. A tell and a publication are a producer span where they leave and a consumer span where they are taken.
 * MS2. The span of whoever takes a message is under the span of whoever sent it, and is what the agent's own messages are under.
 * MS3. A trace that is not sampled makes no spans; its context goes on as it came.
 * MS4. At most {@link OPEN_SPANS_MAX} spans of either kind are open, each for at most {@link OPEN_SPAN_MS}; beyond that the oldest ends with an error.
 */
import type { Span, SpanContext, Tracer } from "@glia-os/abi/ports";
import { formatTraceparent, isSpanContext, parseTraceparent } from "@glia-os/abi/wire";
import type { EnvelopeKind } from "./envelope.ts";

/** Open spans of one system or node: of asks that left, and of asks that came (MS4). */
export const OPEN_SPANS_MAX = 4096;
/** How long a span may be open: an ask that is not answered by then is not waited for by anybody. */
export const OPEN_SPAN_MS = 600_000;
const SAMPLED = 1;

/** What of a message its spans follow from. */
export interface MessageFacts {
  readonly kind: EnvelopeKind;
  /** Whom it is from: an id, or empty. */
  readonly from: string;
  /** Which agent it is for: an id or a name. */
  readonly to: string;
  readonly correlation: number;
  /** The name of the message, or the topic. */
  readonly message: string;
  /** The `traceparent` it has. */
  readonly parent: string | undefined;
  /** Of an `error`: its code. */
  readonly code?: string | undefined;
  /** Of an ask that may be answered where it came in, without saying to whom: what the answer is known by. */
  readonly line?: string | undefined;
}

/** How a message goes on. */
export interface Traced {
  /** The `traceparent` it has from now on. */
  readonly parent: string;
  /** It was not taken: there is no span of it. */
  undo(): void;
}

interface Open {
  readonly line: string | undefined;
  readonly span: Span;
  readonly agent: string;
  readonly atMs: number;
}

/** Makes them. */
export class MessageSpans {
  readonly #tracer: Tracer;
  readonly #nowMs: () => number;
  /** By {@link askKey}, oldest first: asks that left, and asks that came. */
  readonly #asked = new Map<string, Open>();
  readonly #serving = new Map<string, Open>();
  /** Keys of those, by line. */
  readonly #lines = new Map<string, string>();

  /** `nowMs`: monotonic milliseconds. */
  constructor(tracer: Tracer, nowMs: () => number) {
    this.#tracer = tracer;
    this.#nowMs = nowMs;
  }

  /** Spans that are open. */
  get open(): number {
    return this.#asked.size + this.#serving.size;
  }

  /** A message leaves. Gives how it goes on, or undefined: as it is. O(1) amortised. */
  leaves(facts: MessageFacts): Traced | undefined {
    switch (facts.kind) {
      case "ask":
        return this.#begin(this.#asked, askKey(facts.from, facts.correlation), "client", facts);
      case "tell":
      case "publish":
        return this.#instant("producer", facts);
      case "reply":
      case "end":
      case "error":
        this.#answered(this.#serving, servingKey(facts.from, facts.to, facts.correlation), facts);
        return undefined;
      default:
        return undefined;
    }
  }

  /** A message comes for an agent here; `undo` it when it is not taken. */
  comes(facts: MessageFacts): Traced | undefined {
    switch (facts.kind) {
      case "ask": {
        if (facts.parent === undefined) return undefined;
        const key = servingKey(facts.to, facts.from, facts.correlation);
        return this.#begin(this.#serving, key, "server", facts);
      }
      case "tell":
      case "publish":
        return facts.parent === undefined ? undefined : this.#instant("consumer", facts);
      case "reply":
      case "end":
      case "error":
        this.#answered(this.#asked, askKey(facts.to, facts.correlation), facts);
        return undefined;
      default:
        return undefined;
    }
  }

  /** An answer leaves on the line of its ask. */
  answers(line: string, facts: Pick<MessageFacts, "kind" | "code">): void {
    const key = this.#lines.get(line);
    if (key !== undefined) this.#answered(this.#serving, key, facts);
  }

  /** An ask of an agent here was given up: nobody waits for its answer. */
  abandoned(from: string, correlation: number, code: string): void {
    this.#answered(this.#asked, askKey(from, correlation), { kind: "error", code });
  }

  /** An agent is not here any more, and no answer of or for it is seen: its spans end. `why` is noted in them. O(open spans). */
  gone(agent: string, why: string): void {
    for (const spans of [this.#asked, this.#serving])
      for (const [key, open] of spans)
        if (open.agent === agent) {
          this.#forget(spans, key, open);
          open.span.event(why);
          open.span.end();
        }
  }

  /** End every span that is open. */
  close(): void {
    for (const spans of [this.#asked, this.#serving]) {
      for (const { span } of spans.values()) span.end();
      spans.clear();
    }
    this.#lines.clear();
  }

  #begin(
    spans: Map<string, Open>,
    key: string,
    kind: "client" | "server",
    facts: MessageFacts,
  ): Traced | undefined {
    const span = this.#start(kind, facts);
    if (span === undefined) return undefined;
    const { context } = span;
    if (!isRecorded(context)) return going(context, () => span.end());
    this.#makeRoom(spans);
    const line = kind === "server" ? facts.line : undefined;
    const open = { span, line, agent: kind === "client" ? facts.from : facts.to, atMs: this.#nowMs() };
    spans.delete(key);
    spans.set(key, open);
    if (line !== undefined) this.#lines.set(line, key);
    return going(context, () => this.#forget(spans, key, open));
  }

  #instant(kind: "producer" | "consumer", facts: MessageFacts): Traced | undefined {
    const span = this.#start(kind, facts);
    if (span === undefined) return undefined;
    span.end();
    return going(span.context, () => undefined);
  }

  /** MS3. */
  #start(kind: "client" | "server" | "producer" | "consumer", facts: MessageFacts): Span | undefined {
    const parent = facts.parent === undefined ? undefined : parseTraceparent(facts.parent);
    if (parent !== undefined && (parent.traceFlags & SAMPLED) === 0) return undefined;
    const leaves = kind === "client" || kind === "producer";
    const attributes = {
      "glia.message": facts.message,
      "glia.message.kind": facts.kind,
      "glia.agent": facts.to,
      ...(facts.from === "" ? {} : { "glia.agent.from": facts.from }),
    };
    const name = leaves ? `${facts.kind} ${facts.message}` : facts.message;
    return this.#tracer.start(name, { kind, attributes, ...(parent === undefined ? {} : { parent }) });
  }

  #forget(spans: Map<string, Open>, key: string, open: Open): void {
    if (spans.get(key) === open) spans.delete(key);
    if (open.line !== undefined) this.#lines.delete(open.line);
  }

  #answered(
    spans: Map<string, Open>,
    key: string,
    { kind, code }: Pick<MessageFacts, "kind" | "code">,
  ): void {
    const open = spans.get(key);
    if (open === undefined) return;
    this.#forget(spans, key, open);
    if (kind !== "error") open.span.status("ok");
    else {
      if (code !== undefined) open.span.set("error.type", code);
      open.span.status("error", code);
    }
    open.span.end();
  }

  /** MS4. */
  #makeRoom(spans: Map<string, Open>): void {
    const oldMs = this.#nowMs() - OPEN_SPAN_MS;
    for (const [key, open] of spans) {
      if (open.atMs > oldMs && spans.size < OPEN_SPANS_MAX) return;
      this.#forget(spans, key, open);
      open.span.status("error", "no answer was seen");
      open.span.end();
    }
  }
}

function going(context: SpanContext, undo: () => void): Traced | undefined {
  return isSpanContext(context) ? { parent: formatTraceparent(context), undo } : undefined;
}

function isRecorded(context: SpanContext): boolean {
  return (context.traceFlags & SAMPLED) !== 0;
}

function askKey(from: string, correlation: number): string {
  return `${from}/${correlation}`;
}

function servingKey(agent: string, asker: string, correlation: number): string {
  return `${agent}/${asker}/${correlation}`;
}
