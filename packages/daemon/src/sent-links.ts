/**
 * What was sent to agents and waits to be flushed, for those who name an agent anew with every call.
 *
 * SK1. A link that broke with messages that nobody acknowledged is the one that the next flush of its agent looks at, however late that
 *      comes: the link that was opened in its place knows nothing of them. It is told once.
 * SK2. At most {@link KEPT_LINKS_MAX} agents are kept in mind; the one whose link was opened first is forgotten first.
 */
import type { AgentId } from "@glia-os/abi/ids";
import type { AgentLink } from "@glia-os/mesh-core";

/** Agents whose link is kept in mind: as many as a node has links. */
export const KEPT_LINKS_MAX = 4096;

/** The links on which something was sent, by agent. */
export class SentLinks {
  readonly #links = new Map<AgentId, AgentLink>();

  /** A message is about to go out on this link; gives it back. O(1). */
  sendsOn(link: AgentLink): AgentLink {
    const { agent } = link;
    const before = this.#links.get(agent);
    if (before === link || (before !== undefined && owes(before))) return link;
    this.#links.delete(agent);
    this.#links.set(agent, link);
    for (const oldest of this.#links.keys()) {
      if (this.#links.size <= KEPT_LINKS_MAX) break;
      this.#links.delete(oldest);
    }
    return link;
  }

  /** The link that a flush is to look at, `open` being the one that is open now (SK1). O(1). */
  flushed(open: AgentLink): AgentLink {
    const { agent } = open;
    const before = this.#links.get(agent);
    if (before === undefined || before === open) return open;
    this.#links.delete(agent);
    return owes(before) ? before : open;
  }
}

/** Whether it took messages that nobody acknowledged. */
function owes(link: AgentLink): boolean {
  const { sent, acknowledged } = link.stats();
  return sent > acknowledged;
}
