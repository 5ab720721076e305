/**
 * The spans of the messages that agents of a node send and get, made where messages enter and leave it (docs/spec/agent-message.md, "Traces").
 *
 * NM1. Without a tracer there is no object of this kind, and messages pass as they are.
 * NM2. An agent gets a message with the span that its node made for it. What is recorded of the agent (its tape, its journal) has that span, so running
 *      it again gives the same messages; the span of a message that leaves is written when it is handed to its link.
 * NM3. When an agent leaves with spans open these end with the event `moved`: its answers leave from another node.
 */
import { errorCodeOf } from "@glia-os/abi/errors";
import type { AgentId } from "@glia-os/abi/ids";
import type { Clock, Tracer } from "@glia-os/abi/ports";
import type { CellBaggage } from "@glia-os/cells";
import { type MessageFacts, MessageSpans, type Traced } from "@glia-os/cells/agent";
import {
  type LinkMessage,
  type LinkVerdict,
  type MeshCells,
  type OutgoingLink,
  PAYLOAD_MAX,
} from "@glia-os/mesh-core";
import { errorCodeIn, headOf, traceparentOf, withTraceparent } from "./message-head.ts";

type Asker = Pick<LinkMessage, "link" | "seq">;

/** What a first trace adds to a message. */
const ADDED_BYTES = 73;

/** Those of one node. */
export class NodeMessages {
  readonly #spans: MessageSpans;

  constructor(tracer: Tracer, clock: Clock) {
    this.#spans = new MessageSpans(tracer, () => clock.monotonicMs());
  }

  /** The payload as it leaves for an agent. */
  leaving(to: string, payload: Uint8Array): Uint8Array {
    const facts = factsOf(to, payload);
    if (facts === undefined) return payload;
    return written(payload, facts, this.#spans.leaves(facts));
  }

  /** A link whose messages get spans as they leave. */
  link(to: AgentId, link: OutgoingLink): OutgoingLink {
    // What a link had no room for is offered again.
    let refused: { readonly given: Uint8Array; readonly leaves: Uint8Array } | undefined;
    return {
      link: link.link,
      get unacknowledged() {
        return link.unacknowledged;
      },
      carryAway: () => link.carryAway(),
      close: () => link.close(),
      offer: (payload) => {
        const leaves = refused?.given === payload ? refused.leaves : this.leaving(to, payload);
        const taken = link.offer(leaves);
        refused = taken ? undefined : { given: payload, leaves };
        return taken;
      },
    };
  }

  /** Have a program outside ask: the answer comes on its link or, after the word that it comes later, as a message. */
  async ask(
    to: AgentId,
    payload: Uint8Array,
    ask: (payload: Uint8Array) => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const facts = factsOf(to, payload);
    if (facts?.kind !== "ask") return ask(payload);
    try {
      const reply = await ask(written(payload, facts, this.#spans.leaves(facts)));
      this.#came(facts.from, reply);
      return reply;
    } catch (error) {
      this.#spans.abandoned(facts.from, facts.correlation, errorCodeOf(error) ?? "error");
      throw error;
    }
  }

  /** Have a message of a link taken by an agent here; `deliver` gets it as the agent does. */
  taken(message: LinkMessage, deliver: (message: LinkMessage) => LinkVerdict): LinkVerdict {
    const { agent, payload, ask } = message;
    const facts = factsOf(agent, payload);
    if (facts === undefined) return deliver(message);
    const came = this.#spans.comes(ask ? { ...facts, line: lineOf(message) } : facts);
    if (came === undefined) return deliver(message);
    const verdict = deliver({ ...message, payload: written(payload, facts, came) });
    if (verdict.kind !== "accepted") came.undo();
    return verdict;
  }

  /** The cells of the node as its mesh sees them: what comes for them gets spans. */
  cells<Cells extends Pick<MeshCells, "deliver">>(cells: Cells): Cells {
    const deliver = (message: LinkMessage): LinkVerdict => this.taken(message, (came) => cells.deliver(came));
    return new Proxy(cells, {
      get: (target, name) => {
        if (name === "deliver") return deliver;
        const value = (target as Record<string | symbol, unknown>)[name];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  /** An agent here answers on the link of whoever asked. */
  replied(asker: Asker, payload: Uint8Array): void {
    const facts = factsOf("", payload);
    if (facts !== undefined) this.#spans.answers(lineOf(asker), facts);
  }

  /** The baggage of cells, with an eye on those that leave (NM3). */
  baggage(baggage: CellBaggage): CellBaggage {
    return {
      pack: (agent) => baggage.pack(agent),
      stays: (agent) => baggage.stays(agent),
      stage: (agent, bytes) => baggage.stage(agent, bytes),
      runs: (agent) => baggage.runs(agent),
      gone: (agent, left) => {
        this.#spans.gone(agent, left.kind);
        baggage.gone(agent, left);
      },
    };
  }

  /** End what is open. */
  close(): void {
    this.#spans.close();
  }

  #came(to: string, payload: Uint8Array): void {
    const facts = factsOf(to, payload);
    if (facts !== undefined) this.#spans.comes(facts);
  }
}

function factsOf(to: string, payload: Uint8Array): MessageFacts | undefined {
  const head = headOf(payload);
  if (head === undefined) return undefined;
  const code = head.kind === "error" ? errorCodeIn(payload) : undefined;
  return { ...head, to, parent: traceparentOf(payload), ...(code === undefined ? {} : { code }) };
}

/** A message that is as long as messages may be gets no trace that it has not. */
function written(payload: Uint8Array, facts: MessageFacts, going: Traced | undefined): Uint8Array {
  if (going === undefined) return payload;
  if (facts.parent === undefined && payload.length + ADDED_BYTES > PAYLOAD_MAX) return payload;
  return withTraceparent(payload, going.parent);
}

function lineOf({ link, seq }: Asker): string {
  return `${link}/${seq}`;
}
