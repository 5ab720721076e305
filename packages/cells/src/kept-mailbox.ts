/**
 * The gate's end of a cell whose messages are kept before they are acknowledged (kept-cells.ts).
 *
 * KM1. Every answer to a sender waits until all that was accepted before it is kept: a cumulative acknowledgement speaks of all of it.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { LinkId, LinkMessage, LinkOffer, LinkVerdict } from "@glia-os/mesh-core";
import type { KeptCells } from "./kept-cells.ts";

/** Closed links that are remembered until a message tells of them. */
const CLOSED_MAX = 1024;

/** One cell's. */
export class KeptMailbox {
  readonly #agent: AgentId;
  readonly #cells: KeptCells;
  #closed: LinkId[] = [];
  #last: Promise<void> | undefined;

  constructor(agent: AgentId, cells: KeptCells) {
    this.#agent = agent;
    this.#cells = cells;
  }

  /** A message was accepted: have it kept. `over` is called when that is decided. */
  keep(
    { link, seq, ask, from, floor, payload }: LinkMessage,
    offer: LinkOffer,
    over: () => void,
  ): LinkVerdict {
    const closed = this.#closed;
    this.#closed = [];
    const kept = this.#cells.accept(this.#agent, { link, seq, ask, from, floor, closed, payload });
    kept.then(over, over);
    this.#last = kept;
    return this.held(offer);
  }

  /** An answer that holds once everything before it is kept (KM1). */
  held(offer: LinkOffer): LinkVerdict {
    return this.#last === undefined ? offer : { ...offer, kept: this.#last };
  }

  /** A link was closed by its sender. */
  close(link: LinkId): void {
    if (this.#closed.length < CLOSED_MAX) this.#closed.push(link);
  }

  /** The link table begins anew with what is kept: what was under way before says nothing any more. */
  reset(): void {
    this.#last = undefined;
  }
}
